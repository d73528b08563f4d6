"""Sweeps through the real command line: their tables and figures, and what reruns."""

import copy
import csv

import numpy as np
import pytest

from tests.runs import TINY_STUDY
from workflow_scripts.semstat.criticality.tables import CROSSOVERS, OBSERVABLES
from workflow_scripts.semstat.generation.columns import RUNS
from workflow_scripts.semstat.tables import provenance_of, read_table

TEMPERATURES = [0, 0.5, 1.0, 2]
SWEEP = {
    "dataset": "text",
    "prompts": 6,
    "prompt_tokens": 4,
    "runs": 2,
    "lengths": [56, 48],
    "sampling_temperatures": TEMPERATURES,
}
TWIN = SWEEP | {"model": "tiny-random", "nulls": [], "lengths": [48, 52]}
TWIN |= {"sampling_temperatures": TEMPERATURES[1:]}
STUDY = copy.deepcopy(TINY_STUDY) | {"criticality": [SWEEP | {"model": "tiny"}, TWIN]}
WRITERS = ("model", "frequencies", "bigrams")
FIGURES = {"phases", "texts", "fluctuations", "crossovers", "diversity"}


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    """The finished tiny study, with sweeps beside it."""
    place = finished.copy(tmp_path_factory.mktemp("swept"))
    assert place.would_run(study=STUDY) == set(), "criticality is no part of the default target"
    jobs = place.run("criticality", study=STUDY)
    assert {
        f"Writing at sampling temperature {float(o)} by tiny on text" for o in TEMPERATURES
    } <= jobs
    return place


def table(place, kind, schema, by="model", model="tiny"):
    path = f"results/criticality/{kind}/model={model}/dataset=text/by={by}.parquet"
    return read_table(place.work / path, schema)


@pytest.mark.parametrize("by", WRITERS)
def test_texts_are_written_at_each_sampling_temperature(place, by):
    for temperature in map(float, TEMPERATURES):
        path = f"results/criticality/runs/model=tiny/dataset=text/by={by}"
        runs = read_table(place.work / f"{path}/sampling_temperature={temperature}.parquet", RUNS)
        assert runs.num_rows == 12
        assert {len(tokens) for tokens in runs["tokens"]} == {56}
        first = runs["sampling_temperature"][0].values.to_numpy()
        np.testing.assert_allclose(first, temperature)
        assert ("null" in provenance_of(runs.schema)) == (by != "model")


@pytest.mark.parametrize("by", WRITERS)
def test_a_sweep_is_described_at_each_length(place, by):
    rows = table(place, "observables", OBSERVABLES, by).to_pylist()
    assert [(row["length"], row["sampling_temperature"]) for row in rows] == [
        (length, temperature) for length in (48, 56) for temperature in TEMPERATURES
    ]
    for row in rows:
        assert (row["by"], row["prompts"], row["texts"]) == (by, 6, 12)
        cold = row["sampling_temperature"] == 0
        assert (row["heat_capacity"] is None) == (row["fisher"] is None) == cold
        assert row["conditional"] >= 0 and (row["conditional"] == 0) == cold
        assert 0 <= row["looping_low"] <= row["looping"] <= row["looping_high"] <= 1


def test_nulls_at_0_loop_from_the_first_token(place):
    rows = table(place, "observables", OBSERVABLES, "frequencies").to_pylist()
    assert rows[0]["looping"] == pytest.approx(1) and rows[0]["in_loops"] == pytest.approx(1)


def test_nulls_write_tokens_of_the_texts_alone(place):
    path = "results/criticality/runs/model=tiny/dataset=text/by=bigrams"
    runs = read_table(place.work / f"{path}/sampling_temperature=2.0.parquet", RUNS)
    known = set()
    for shard in (0, 1):
        tokens = read_table(
            place.work / f"results/tokens/model=tiny/dataset=text/shard={shard}.parquet"
        )
        known |= {token for text in tokens["tokens"].to_pylist() for token in text[1:]}
    assert {token for text in runs["tokens"].to_pylist() for token in text} <= known


def test_numbers_and_figures_are_put_together(place):
    with (place.work / "results/criticality/observables.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["model"], row["by"]) for row in rows} == {
        *(("tiny", by) for by in WRITERS),
        ("tiny-random", "model"),
    }
    places = table(place, "crossovers", CROSSOVERS).to_pylist()
    assert {row["how"] for row in places} == {
        *("peak", "steepest", "half", "balance", "crossing"),
    }
    for model in ("tiny", "tiny-random"):
        folder = place.work / f"results/figures/criticality/model={model}/dataset=text"
        assert {path.stem for path in folder.glob("*.svg")} == FIGURES
        assert {path.stem for path in folder.glob("*.pdf")} == FIGURES


def test_only_what_depends_on_a_change_runs_again(place):
    assert place.would_run("criticality", study=STUDY) == set()
    other = copy.deepcopy(STUDY)
    other["criticality"][0]["sampling_temperatures"] = [*TEMPERATURES, 3.0]
    found = place.would_run("criticality", study=other)
    written = {job for job in found if job.startswith("Writing")}
    assert written == {
        "Writing at sampling temperature 3.0 by tiny on text",
        "Writing frequencies at sampling temperature 3.0 on text",
        "Writing bigrams at sampling temperature 3.0 on text",
    }
    shorter = copy.deepcopy(STUDY)
    shorter["criticality"][0]["lengths"] = [50, 56]
    found = place.would_run("criticality", study=shorter)
    assert not {job for job in found if job.startswith("Writing")}
    assert "Describing the sweep of tiny on text, by bigrams" in found


def test_a_length_beyond_the_model_is_refused(place):
    study = copy.deepcopy(STUDY)
    study["criticality"][0]["lengths"] = [48, 100_000]
    target = "results/criticality/runs/model=tiny/dataset=text/by=model/sampling_temperature=1.0"
    said = place.snakemake("--cores", "1", f"{target}.parquet", study=study)
    assert said.code == 1
    errors = [line for line in said.text.splitlines() if line.startswith("error: ")]
    assert errors and "criticality.lengths" in errors[0] and "64" in errors[0], said.text
