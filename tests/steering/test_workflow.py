"""Steering through the real command line: its own target, its tables, and what reruns."""

import copy
import csv

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.steering.steered import PAIR, rows_of, runner, steered_study
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.steering.columns import STEERED_STATES
from workflow_scripts.semstat.tables import provenance_of, read_table
from workflow_scripts.steering.steer_states import steer_states


@pytest.fixture(scope="module")
def study():
    return steered_study()


@pytest.fixture(scope="module")
def place(finished, study, tmp_path_factory):
    """The finished tiny study, with steering run beside it."""
    place = finished.copy(tmp_path_factory.mktemp("steered"))
    assert place.would_run(study=study) == set(), "steering is no part of the default target"
    jobs = place.run("steering", study=study)
    assert jobs == {
        "Steering states of tiny on text",
        "Describing steering: effects of tiny on text",
        "Drawing steering: effects of tiny on text",
        "Tabulating steering: effects",
    }
    return place


def test_states_are_steered_as_far_as_is_asked(place):
    rows = rows_of(place, "steering/states")
    assert len(rows) == 2 * 2 * 6 * 2, "layers, quantities, documents, effects"
    assert {row["quantity"] for row in rows} == {"correct", "entropy"}
    small = [row for row in rows if row["reachable"] and row["effect"] == 0.01]
    errors = [abs(row["linear"] / row["effect"] - 1) for row in small]
    assert len(small) > 20 and np.median(errors) < 0.05
    for row in small:
        if row["norm"] is not None:
            assert row["norm"] == pytest.approx(row["effect"] / row["slope"], rel=0.5)
            assert row["ascent_norm"] is None or row["ascent_norm"] > 0.5 * row["norm"]
            assert row["random_norm"] is None or row["random_norm"] > 0.9 * row["norm"]
    beyond = [row for row in rows if row["quantity"] == "correct" and row["before"] > -0.2]
    for row in beyond:
        assert row["reachable"] == (row["before"] + row["effect"] < 0)


def test_the_table_and_its_averages(place):
    (rows, described) = rows_of(place, "steering/states"), rows_of(place, "steering/effects")
    assert len(described) == 2 * 2 * 2
    for row in described:
        chosen = [
            other["norm"] / other["state_norm"]
            for other in rows
            if all(other[key] == row[key] for key in ("layer", "quantity", "effect"))
            and other["norm"] is not None
        ]
        assert row["share"] == pytest.approx(np.exp(np.mean(np.log(chosen))))
        assert row["share_low"] < row["share"] < row["share_high"]
    with (place.work / "results/steering/effects.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(described)


def test_everything_says_what_made_it(place):
    for kind in ("states", "effects"):
        path = place.work / f"results/steering/{kind}/{PAIR}.parquet"
        provenance = provenance_of(pq.ParquetFile(path).schema_arrow)
        assert provenance["model"]["model"] == "tiny" and provenance["tokens"]["dataset"] == "text"
        assert provenance["dtype"] == "float32" and "commit" in provenance["steered by"]
    for suffix in ("svg", "pdf"):
        figure = place.work / f"results/figures/steering/{PAIR}/effects.{suffix}"
        assert figure.stat().st_size > 3000


def test_only_what_depends_on_a_change_runs_again(place, study):
    assert place.would_run("steering", study=study) == set()
    other = copy.deepcopy(study)
    other["steering"][0]["effects"] = [0.2, 0.01]
    assert place.would_run("steering", study=other) == set(), "order means nothing"
    other["steering"][0]["effects"] = [0.01, 0.3]
    jobs = place.would_run("steering", study=other)
    assert "Steering states of tiny on text" in jobs


def test_a_pair_that_is_not_steered_is_one_sentence(place, study):
    target = "results/figures/steering/model=tiny-random/dataset=text/effects.svg"
    said = place.snakemake("--dry-run", target, study=study)
    assert said.code == 1
    assert "tiny-random on text is not steered; add an entry to `steering`" in said.text


@pytest.fixture
def run(tmp_path):
    return runner(tmp_path)


def test_short_documents_are_passed_over_and_numbers_do_not_depend_on_the_others(run):
    options = ["--layers", 2, "--position", 9, "--effects", 0.1, "--quantities", "last"]
    folder = run(steer_states, *options, "--documents", 2)
    both = read_table(folder / "out.parquet", STEERED_STATES).to_pylist()
    run(steer_states, *options, "--documents", 1)
    (alone,) = read_table(folder / "out.parquet", STEERED_STATES).to_pylist()
    assert [row["doc"] for row in both] == [0, 1]
    assert alone["norm"] == pytest.approx(both[0]["norm"], rel=1e-3)
    assert both[0]["effect"] == -0.1, "the last token's probability is lowered"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ["--layers", 4, "--documents", 1, "--position", 9],
            r"^steering \(model tiny\): layer 4 d",
        ),
        (["--layers", 1, "--documents", 3, "--position", 9], "text: 2 documents hav"),
    ],
)
def test_what_cannot_be_steered_is_one_sentence(run, tmp_path, options, expected):
    with pytest.raises(InputError, match=expected):
        run(steer_states, *options)
    assert not (tmp_path / "out.parquet").exists()
