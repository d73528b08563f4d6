"""The pages as a site: built without a warning or a network, and read in a browser from disk."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from tests.runs import CHECKED, NO_NETWORK, REPO, SOURCES, clone, said, snakemake

LIBRARY = REPO / "workflow_scripts/semstat"
GALLERY = (REPO / "docs/gallery.md").read_text()
WIDTHS = {"light": 390, "dark": 1280}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site of a clone, as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    clone(folder, [*SOURCES, *CHECKED, "config", "CITATION.cff"])
    command = re.search(
        r"^docs:.*\n\t\$\(BIN\)/python (.*)$", (REPO / "Makefile").read_text(), re.M
    )
    made = said([sys.executable, *shlex.split(command[1])], folder, NO_NETWORK)
    assert made.code == 0, made.text
    return folder / "build/site"


@pytest.fixture(scope="module")
def pages(site) -> dict[str, str]:
    """Text of every page by name."""
    found = {str(path.relative_to(site)): path.read_text() for path in site.rglob("*.html")}
    return {name: text for name, text in found.items() if not name.startswith("_static")}


def test_every_page_is_there(pages):
    names = {f"{path.stem}.html" for path in (REPO / "docs").glob("*.md")}
    assert names <= set(pages) and len(names) > 40
    shown = {"index.html": "README.md", "configuration.html": "config/README.md"}
    for page, file in (shown | {"changelog.html": "CHANGELOG.md"}).items():
        for title in re.findall(r"^## ([\w ,]+)$", (REPO / file).read_text(), re.M):
            assert f"<h2>{title}<" in pages[page]


def test_nothing_comes_from_elsewhere(site, pages):
    for name, text in pages.items():
        for tag in re.findall(r"<(?:link|script|img|iframe|source)\b[^>]*>", text):
            (address,) = re.findall(r'(?:src|href)="([^"]*)"', tag) or [""]
            assert "://" not in address and not address.startswith("//"), (name, tag)
            if address and not address.startswith("data:"):
                path = address.partition("?")[0].partition("#")[0]
                assert (site / name).parent.joinpath(path).exists(), (name, address)
    for style in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import )['\"]?(?:https?:)?//[^)]*", style.read_text()), (
            style
        )


def public(module: Path) -> list[str]:
    """Functions and classes that are no kernels and have no underscore before their name."""
    nodes = ast.parse(module.read_text()).body
    return [
        node.name
        for node in nodes
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and node.name[0] != "_"
        and "triton.jit" not in map(ast.unparse, node.decorator_list)
    ]


def test_the_reference_has_every_function_of_the_library(pages):
    reference = "".join(text for name, text in pages.items() if name.startswith("api/"))
    there = set(re.findall(r' id="(semstat[\w.]*)"', reference))
    for module in LIBRARY.rglob("*.py"):
        path = ".".join(["semstat", *module.relative_to(LIBRARY).with_suffix("").parts])
        path = path.removesuffix(".__init__")
        assert f'id="module-{path}"' in reference, path
        wanted = {f"{path}.{name}" for name in public(module)}
        assert wanted <= there, wanted - there


def test_docstrings_say_what_arguments_are(pages):
    text = pages["api/semstat.thermodynamics.html"]
    part = text[text.index('id="semstat.thermodynamics.wells.describe_wells"') :]
    for name in ("sums_l", "rng, resamples", "below_minus_0.1, below_minus_0.5"):
        assert f"<strong>{name}</strong>" in part
    assert re.search(r"Parameters</p>.*Returns</p>.*Raises</p>.*ValueError", part, re.S)
    assert "Z(β) = ∫ e^{−βE} dΩ(E)" in text


def test_plain_docstrings_hold_no_markup(monkeypatch):
    monkeypatch.syspath_prepend(str(REPO / "docs/site"))
    from plain_docstrings import restructured

    said = [
        "|h|* of `x_t`, and x_.",
        "",
        "Parameters",
        "---",
        "x, *y : (n,) that",
        "    is |z|.",
        "Other.",
    ]
    made = [r"\|h\|\* of ``x_t``, and x\_.", "", ".. rubric:: Parameters", ""]
    made += [r"**x, \*y**", "    (n,) that", r"    is \|z\|.", "", "Other.", ""]
    assert restructured(said) == made
    formula = ["So", "", "    a_b = c,", "", "    d", "", ">>> 1", "1"]
    made = ["So", "", "::", "", "        a_b = c,", "    ", "        d", "", ">>> 1", "1", ""]
    assert restructured(formula) == made


# The gallery.


def shown() -> list[tuple[str, str]]:
    """Each figure of the gallery, and the block of code that stands below it."""
    return re.findall(r"^!\[.+\]\(figures/(.+)\)\n\n.+\n\n```\w+\n((?:.+\n)+)```$", GALLERY, re.M)


def test_the_gallery_has_each_figure_with_what_makes_it():
    figures = sorted(path.name for path in (REPO / "docs/figures").iterdir())
    assert sorted(figure for figure, _ in shown()) == figures
    assert len(re.findall("^!", GALLERY, re.M)) == len(figures)


def commands() -> dict[str, list[str]]:
    """Files that the gallery has made, by the configuration that they are of."""
    found: dict[str, list[str]] = {}
    for _, code in shown():
        words = shlex.split(code.replace("\\\n", " "))
        if words[0] == "snakemake":
            targets = [word for word in words if word.startswith("results/figures/")]
            study = words[-1] if "--configfile" in words else "config.yaml"
            assert words == ["snakemake", "--cores", "all", *targets] + (
                ["--configfile", study] if study != "config.yaml" else []
            )
            found.setdefault(study, []).extend(targets)
    return found


@pytest.mark.parametrize("study", commands())
def test_what_the_gallery_says_makes_its_figures(study, tmp_path):
    targets = sorted(set(commands()[study]))
    planned = snakemake("-n", *targets, directory=tmp_path, configfile=REPO / study)
    assert planned.code == 0, planned.text


# Tutorials.


def test_the_model_of_the_tutorial_can_be_added(tmp_path):
    page = (REPO / "docs/tutorial_laptop.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    study = yaml.safe_load((REPO / "config.yaml").read_text())
    study["models"] |= yaml.safe_load(block)["models"]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(study))
    planned = snakemake("-n", directory=tmp_path, configfile=tmp_path / "mine.yaml")
    assert planned.code == 0, planned.text
    assert "Measuring energies of smollm2-135m-doubled on sotu, shard 0" in planned.text
    assert "Fetching model smollm2-135m-doubled" not in planned.text


# In a browser.


@pytest.mark.parametrize("theme", WIDTHS)
def test_pages_open_from_disk(browser, site, theme):
    size = {"width": WIDTHS[theme], "height": 800}
    context = browser.new_context(offline=True, color_scheme=theme, viewport=size)
    page = context.new_page()
    told: list[tuple[str, str]] = []
    page.on("console", lambda message: told.append((message.type, message.text)))
    page.on("pageerror", lambda error: told.append(("error", str(error))))
    for name in ("index", "findings", "thermodynamics", "gallery", "results", "api/semstat.models"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        assert page.evaluate(broken) == []
    assert [text for kind, text in told if kind in ("error", "warning")] == []


def test_it_is_searched_without_a_network(browser, site):
    page = browser.new_context(offline=True).new_page()
    page.goto((site / "search.html").as_uri() + "?q=measure_energies")
    page.locator("#search-results a", has_text="semstat.notebook.measure_energies").first.wait_for()
