"""What tests of the whole workflow share: one finished run of a tiny study."""

from __future__ import annotations

import pytest

from tests.runs import Place, make_place


@pytest.fixture(scope="session")
def pristine(tmp_path_factory) -> Place:
    """A clone and the inputs of the tiny study; not to be altered."""
    return make_place(tmp_path_factory.mktemp("pristine"))


@pytest.fixture(scope="session")
def finished(pristine, tmp_path_factory) -> Place:
    """The tiny study, run to the end; not to be altered."""
    place = pristine.copy(tmp_path_factory.mktemp("finished"))
    place.run()
    return place


@pytest.fixture
def altered(finished, tmp_path_factory) -> Place:
    """A copy of the finished run, to do with as one likes."""
    return finished.copy(tmp_path_factory.mktemp("altered"))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items) -> None:
    """In parallel, what shares a costly fixture shares a process: a file, or the tiny study."""
    for item in items:
        group = "the tiny study" if "finished" in item.fixturenames else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
