"""Examples of pages run as they stand, on the results of the default study."""

from __future__ import annotations

import re

import duckdb
import pandas as pd
import polars as pl
import pytest
import yaml

from tests.claims import Part
from tests.runs import REPO

RESULTS = (REPO / "docs/results.md").read_text(encoding="utf-8")


def examples(language: str) -> list[str]:
    """Code blocks of the page on results."""
    return re.findall(rf"```{language}\n(.*?)```", RESULTS, flags=re.DOTALL)


@pytest.fixture
def wells(default_study, monkeypatch):
    """Well numbers by model, dataset and layer, in the folder where the study was run."""
    monkeypatch.chdir(default_study.parent)
    return pd.read_csv("results/wells.csv").set_index(["model", "dataset", "layer"])


def run(example: str) -> dict:
    names: dict = {}
    exec(example, names)  # noqa: S102 -- the page's own text
    return names


@pytest.mark.parametrize("example", [e for e in examples("python") if "wells" not in e])
def test_python_example_runs(wells, example):
    assert run(example)


def test_pandas_example_gives_mean_energies(wells):
    (example,) = (e for e in examples("python") if "groupby" in e)
    *body, last = example.strip().splitlines()
    found = eval(last, run("\n".join(body)))  # noqa: S307 -- the page's own text
    assert len(found) == len(wells)
    for of, row in found.iterrows():
        assert row["mean"] == pytest.approx(wells.mean_energy[of], rel=1e-3)
        assert row["size"] == wells.states[of]


def test_polars_example_gives_the_share_that_wells_have(wells):
    (example,) = (e for e in examples("python") if "below_minus_half" in e)
    found = run(example)["wells"]
    assert isinstance(found, pl.DataFrame) and len(found) == len(wells)
    for model, dataset, layer, share in found.iter_rows():
        expected = wells["below_minus_0.5"][model, dataset, layer]
        assert share == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_sql_example_runs(wells):
    (example,) = examples("sql")
    rows = duckdb.sql(example).fetchall()
    assert {row[:2] for row in rows} == {of[::2] for of in wells.index if of[1] == "sotu"}
    assert all(low <= entropy <= high for _, _, _, entropy, low, high in rows if low is not None)


def test_what_it_says_of_the_study_for_a_cluster():
    study = yaml.safe_load((REPO / "config/cluster.yaml").read_text(encoding="utf-8"))
    open_models = [spec for spec in study["models"].values() if spec.get("source") == "hub"]
    says = Part("docs/add.md", "[config/cluster.yaml]").says
    says("is a study of {} open models", len(open_models))
