"""What is found in a source file is kept by its content, so that it is parsed once."""

import ast
from types import SimpleNamespace

import pytest

from workflow_scripts.running import code
from workflow_scripts.running.code import code_of, digest_of

COMMAND = "thermodynamics.count_states"


@pytest.fixture
def parsed(monkeypatch, tmp_path):
    """Sources that are parsed, with nothing kept at first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = []

    def parse(source):
        found.append(source)
        return ast.parse(source)

    monkeypatch.setattr(code, "ast", SimpleNamespace(**(vars(ast) | {"parse": parse})))
    code._read.cache_clear()
    yield found
    code._read.cache_clear()


def anew(function, *arguments):
    """As another process finds it."""
    code._read.cache_clear()
    return function(*arguments)


def test_files_of_a_command_are_parsed_once(parsed):
    before = anew(code_of, COMMAND)
    files = len(parsed)
    assert files >= len(before) > 5
    assert anew(code_of, COMMAND) == before
    assert len(parsed) == files


def test_what_is_edited_or_damaged_is_parsed_again(parsed, tmp_path):
    path, copy = tmp_path / "a.py", tmp_path / "b.py"
    path.write_text("import os\nX = 1\n")
    copy.write_text(path.read_text())
    before = anew(digest_of, path)
    assert anew(digest_of, copy) == before and len(parsed) == 1
    path.write_text("import os\nX = 2\n")
    assert anew(digest_of, path) != before and len(parsed) == 2
    path.write_text(copy.read_text())
    assert anew(digest_of, path) == before and len(parsed) == 2
    for kept in (tmp_path / "cache").rglob("*"):
        if kept.is_file():
            kept.write_bytes(kept.read_bytes()[:70])
    assert anew(digest_of, path) == before and len(parsed) == 3


def test_what_another_version_of_this_has_kept_is_not_taken(parsed, tmp_path, monkeypatch):
    path = tmp_path / "a.py"
    path.write_text("X = 1\n")
    anew(digest_of, path)
    monkeypatch.setattr(code, "_parser", lambda: b"another")
    anew(digest_of, path)
    assert len(parsed) == 2


def test_where_nothing_can_be_kept_it_is_found_all_the_same(parsed, monkeypatch):
    before = anew(code_of, COMMAND)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nothing")
    files = len(parsed)
    assert anew(code_of, COMMAND) == before
    assert len(parsed) >= 2 * files
