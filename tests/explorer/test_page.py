"""The page as a file: data that cannot become markup, and a policy that lets nothing else run."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest

from tests.explorer.made import PAGE, SCRIPTS
from workflow_scripts.semstat.explorer.page import make_page, packed

TEMPLATE = '<meta content="@POLICY@"><style>@STYLE@</style><script>@SCRIPT@</script>@DATA@'


def test_numbers_are_read_back_as_they_were():
    numbers = np.array([0.5, -1.25, np.nan, 3e-8], dtype=np.float32)
    found = np.frombuffer(base64.b64decode(packed(numbers, "f4")), "<f4")
    assert np.array_equal(found, numbers, equal_nan=True)


def test_data_ends_no_script_and_fills_no_other_mark():
    data = {"text": "</script><script>alert(1)</script><!-- @SCRIPT@ @POLICY@"}
    page = make_page(TEMPLATE, "p { color: red; }", "go();", data)
    before, _, after = page.partition("go();</script>")
    assert "<" not in after and json.loads(after) == data
    assert "@" not in before


def test_the_policy_names_the_script_and_the_style_and_nothing_else():
    page = make_page(TEMPLATE, "p {}", "go();", {})
    policy = re.search(r'content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    for text in ("p {}", "go();"):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


@pytest.mark.parametrize(
    ("template", "style", "script"),
    [("no marks", "", ""), (TEMPLATE, "</style>", ""), (TEMPLATE, "", "'</script>'")],
)
def test_what_would_break_a_page_is_refused(template, style, script):
    with pytest.raises(ValueError, match="the template needs each of"):
        make_page(template, style, script, {})


def test_scripts_make_no_markup_of_text_and_load_nothing():
    for name in SCRIPTS:
        script = (PAGE / name).read_text()
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "Function(",
        ):
            assert word not in script, name
        assert not re.search(
            r"fetch\(|XMLHttpRequest|import\b|https?://(?!www\.w3\.org/2000/svg)", script
        )
