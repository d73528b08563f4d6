"""The README's examples of reading results run as they stand, on the tiny study's results."""

from __future__ import annotations

import re

import duckdb
import polars as pl
import pytest

from tests.runs import REPO

README = (REPO / "README.md").read_text()


def examples(language: str) -> list[str]:
    """Code blocks of the README, with the names of the tiny study."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    tiny_names = [("smollm2-135m", "tiny"), ("'sotu'", "'text'"), ("=sotu/", "=text/")]
    for real, tiny in [*tiny_names, ("from semstat", "from workflow_scripts.semstat")]:
        blocks = [block.replace(real, tiny) for block in blocks]
    return [block.replace("layer=30", "layer=3") for block in blocks]


@pytest.fixture
def results(finished, monkeypatch):
    monkeypatch.chdir(finished.work)


@pytest.mark.parametrize("example", examples("python"))
def test_python_example_runs(results, example):
    names: dict = {}
    exec(example, names)  # noqa: S102 -- the README's own text
    if "wells" in names:
        assert {"model", "dataset", "layer", "below_minus_half"} == set(names["wells"].columns)
        assert isinstance(names["wells"], pl.DataFrame) and len(names["wells"]) == 18
    if "energies" in names and "text" in names:
        assert "".join(pl.from_arrow(names["energies"]).filter(layer=0)["correct_token"]).endswith(
            names["text"][1:]
        )


def test_sql_example_runs(results):
    (example,) = examples("sql")
    rows = duckdb.sql(example).fetchall()
    assert {row[0] for row in rows} == {"tiny", "tiny-random"}
    assert all(low <= entropy <= high for _, _, _, entropy, low, high in rows if low is not None)
