"""Captions of figures name the table that has their numbers."""

import re
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
REPORT = REPO / "report"
RULES = "\n".join(path.read_text() for path in (REPO / "rules").glob("*.smk"))
CAPTIONS = {f"{path.parent.name}/{path.stem}": path.read_text() for path in REPORT.glob("*/*.rst")}
OF_TABLES = set(re.findall(r'caption=f?"(?:\.\./report/)?([^".]+)', RULES))
for room in re.findall(r'caption=f"(\w+)/\{caption\}"', RULES):  # of a loop over tuples
    OF_TABLES |= {f"{room}/{last}" for last in re.findall(r'"(\w+)"\),?\n', RULES)}


def is_of_a_figure(name):
    return not name.endswith("_table") and name not in OF_TABLES


FIGURES = sorted(filter(is_of_a_figure, CAPTIONS))


def test_captions_of_figures_are_found():
    assert {"thermodynamics/across_models", "criticality/texts", "causes/doses"} <= set(FIGURES)
    assert "volumes/entropy" in FIGURES
    assert not {"thermodynamics/wells", "volumes/pairs"} & set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_a_caption_names_the_table_and_a_rule_makes_it(name):
    found = re.findall(r"``(results/[\w/.]+)``", CAPTIONS[name].rpartition("Numbers: ")[2])
    assert found, f"report/{name}.rst names no table"
    for path in found:
        stem = path.removeprefix("results/").removesuffix(".csv")
        room, _, last = stem.rpartition("/")
        asked = f'"{stem}"', f'f"{room}/{{name}}"', f"results/{stem}/"
        assert any(words in RULES for words in asked), path
        assert not room or f'"{last}"' in RULES or f"results/{stem}/" in RULES, path
