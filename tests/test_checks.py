"""How all is checked: one list of checks, and the longest tests first."""

import re

import yaml

from tests.conftest import LONGEST
from tests.runs import REPO


def test_pre_commit_checks_what_make_lint_does():
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (REPO / "Makefile").read_text(), re.M)
    (local,) = yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text())["repos"]
    checks = re.findall(r"^\t\$\(BIN\)/(.*)$", recipe[1], re.M)
    assert [f".venv/bin/{check}" for check in checks] == [hook["entry"] for hook in local["hooks"]]
    assert local["repo"] == "local", "nothing is fetched"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


def test_the_longest_tests_are_there():
    assert [name for name in LONGEST if not (REPO / "tests" / name).is_file()] == []
