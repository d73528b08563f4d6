"""The pages name files, folders, commands and targets that are there."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.runs import REPO, SHARED_RULES

PAGES = [REPO / name for name in ("README.md", "CHANGELOG.md", "config/README.md")]
PAGES += sorted((REPO / "docs").glob("*.md"))

STAGES = re.findall(r'^include: "rules/(\w+)\.smk"$', (REPO / "Snakefile").read_text(), re.M)
STAGES = [stage for stage in STAGES if stage not in SHARED_RULES]
"""In the order in which the Snakefile includes them."""

FOLDERS = "benchmarks|config|docs|envs|profiles|report|rules|schemas|tests|workflow_scripts|semstat"
NAMED = re.compile(rf"(?<![\w./=])((?:{FOLDERS})/[\w./-]*\w)")
"""A path of this repository as prose has it."""


def prose(page: Path) -> str:
    """A page, without what docs/contributing.md would have one add."""
    text = page.read_text()
    if page.name == "contributing.md":
        text = re.sub(r"^## Add .*", "", text, flags=re.M | re.S)
    return text


def headings(page: Path) -> set[str]:
    """What links to parts of a page may name, as GitHub makes it of headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    assert links
    for link in links:
        if "://" not in link:
            path, _, part = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not part or part in headings(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_modules_that_are_named_exist(page):
    for name in (name for name in NAMED.findall(prose(page)) if not re.search(r"\bX\b", name)):
        places = [REPO / name, page.parent / name, REPO / "workflow_scripts" / name]
        assert any(place.exists() for place in places), name
    for module in re.findall(
        r"python\s-m\s((?:benchmarks|workflow_scripts)\.[\w.]*\w)", prose(page)
    ):
        assert find_spec(module), module


@pytest.mark.parametrize("stage", STAGES)
def test_the_page_of_a_stage_opens_with_its_target_commands_and_keys(stage):
    page = (REPO / f"docs/{stage}.md").read_text()
    opening = dict(re.findall(r"^\| (\w+) \| (.*) \|$", page.partition("\n## ")[0], re.M))
    assert list(opening) == ["takes", "makes", "target", "commands", "keys"]
    assert opening["target"] == f"`snakemake --cores all {stage}`"
    room = REPO / "workflow_scripts" / stage
    commands = {
        f"{stage}." + ".".join(path.relative_to(room).with_suffix("").parts)
        for path in room.rglob("*.py")
        if "\n    run(" in path.read_text()
    }
    named = set(re.findall(r"`([\w.]+)`", opening["commands"]))
    assert named <= commands and bool(named) == bool(commands)
    if (REPO / f"schemas/{stage}.schema.yaml").is_file():
        assert f"(../schemas/{stage}.schema.yaml)" in opening["keys"]


def test_a_table_lists_the_stages_in_their_order():
    table = (REPO / "docs/stages.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| .* \| \[(\w+)\.md\]", table, re.M)
    assert rows == [(stage, stage) for stage in STAGES]


def test_the_readme_is_short():
    assert len((REPO / "README.md").read_text().splitlines()) <= 150
