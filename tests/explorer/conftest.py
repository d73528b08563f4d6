"""The page of two models."""

from contextlib import contextmanager

import pytest

from tests.explorer.made import HOSTILE, PLAIN, Made


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two models on texts of which one would be a script, if it could; all of it shown."""
    texts = [HOSTILE, PLAIN * 4, "a" * 60, *(PLAIN + str(n) for n in range(6))]
    made = Made(tmp_path_factory.mktemp("made"), texts, models=["tiny", "other"])
    made.page()
    return made


@pytest.fixture
def opened(browser, made):
    """Opens the page, or another one, and looks that it says and asks for nothing."""

    @contextmanager
    def opened(fragment="", path=None, **options):
        context = browser.new_context(offline=True, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        address = (path or made.results / "explorer.html").as_uri()
        page.goto(address + fragment)
        yield page
        assert said == []
        assert asked == [address]
        context.close()

    return opened
