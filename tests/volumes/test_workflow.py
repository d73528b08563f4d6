"""The stage through the real command line: its tables, its figures, and what reruns."""

import copy
import csv

import numpy as np
import pytest

from tests.runs import TINY_STUDY
from workflow_scripts.semstat.tables import read_table
from workflow_scripts.semstat.thermodynamics.tables import WELLS
from workflow_scripts.semstat.volumes.tables import VOLUMES

ENTRY = {
    "model": ["tiny", "tiny-random"],
    "dataset": "text",
    "layers": [1, 3],
    "pairs": 3,
    "pairs_per_job": 2,
    "walkers": 16,
    "culled": 8,
    "moves": 2,
    "depth": 3.0,
    "starts": 3,
}
OTHERS = ENTRY | {"model": "tiny", "spaces": ["inner_sphere", "tokens"], "pairs_per_job": 3}
OTHERS |= {"walkers": 8, "culled": 4, "depth": 1.0}
STUDY = copy.deepcopy(TINY_STUDY) | {"volumes": [ENTRY, OTHERS]}
SPACES = {("sphere", "3"), ("gaussian", "3"), ("gaussian", "1")}
OF_MODELS = {"tiny": {*SPACES, ("inner_sphere", "1"), ("tokens", "3")}, "tiny-random": SPACES}


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    """The finished tiny study, with volumes beside it."""
    place = finished.copy(tmp_path_factory.mktemp("volumes"))
    assert place.would_run(study=STUDY) == set(), "volumes are no part of the default target"
    jobs = place.run("volumes", study=STUDY)
    assert "Measuring how states of tiny on text are spread" in jobs
    assert not any(job.startswith("Measuring energies") for job in jobs)
    return place


def rows_of(place, name):
    with (place.work / f"results/{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_space_and_pair_has_its_row(place):
    rows = rows_of(place, "volumes")
    assert {(row["model"], row["space"], row["layer"]) for row in rows} == {
        (model, *space) for model, spaces in OF_MODELS.items() for space in spaces
    }
    assert {row["measure"] for row in rows if row["space"] == "sphere"} == {"uniform directions"}
    assert {row["walkers"] for row in rows if row["space"] == "tokens"} == {"8"}
    assert all("states of text" in row["measure"] for row in rows if row["space"] == "gaussian")
    assert {int(row["pairs"]) for row in rows} == {3}
    pairs = rows_of(place, "volumes/pairs")
    assert len(pairs) == 3 * len(rows)
    for model in ENTRY["model"]:
        of_model = {(row["pair"], row["doc"]) for row in pairs if row["model"] == model}
        assert len(of_model) == 3, "the same pairs in all spaces"


def test_text_stands_beside_volumes(place):
    wells = read_table(place.work / "results/wells/model=tiny/dataset=text.parquet", WELLS)
    (of_text,) = [row for row in wells.to_pylist() if row["layer"] == 3]
    folder = "results/volumes/wells/model=tiny/dataset=text/layer=3/space=sphere"
    (row,) = read_table(place.work / folder / "against=correct.parquet", VOLUMES).to_pylist()
    assert row["text_below_zero"] == pytest.approx(np.log(of_text["below_zero"]))
    assert row["text_below_zero_low"] == pytest.approx(np.log(of_text["below_zero_low"]))


def test_distances_to_wells_are_told_at_each_layer(place):
    rows = rows_of(place, "volumes/distances")
    assert {(row["model"], row["layer"], row["space"]) for row in rows} == {
        (model, layer, space)
        for model in ENTRY["model"]
        for layer in ("1", "3")
        for space in ("sphere", "gaussian")
    }
    assert {(row["pairs"], row["starts"], row["energy"]) for row in rows} == {("3", "3", "-0.5")}


def test_a_figure_for_each_model_and_layer(place):
    for model in ENTRY["model"]:
        for layer in ENTRY["layers"]:
            folder = f"results/figures/volumes/model={model}/dataset=text/layer={layer}"
            text = (place.work / folder / "entropy.svg").read_text()
            assert (place.work / folder / "entropy.pdf").exists()
            assert text.count('<g id="axes_') == (8 if model == "tiny" else 4)


def test_only_what_depends_on_a_change_runs_again(place):
    assert place.would_run("volumes", study=STUDY) == set()
    more = copy.deepcopy(STUDY)
    more["volumes"][0] |= {"pairs": 4, "model": "tiny"}
    sampled = {job for job in place.would_run("volumes", study=more) if "Sampling" in job}
    assert sampled == {
        f"Sampling the {space} of tiny on text, layer {layer}, against the correct token, "
        "from pair 2"
        for space, layer in SPACES
    }
    against = copy.deepcopy(STUDY)
    against["volumes"][0] |= {"held_against": ["correct", "likeliest"], "model": "tiny"}
    sampled = {job for job in place.would_run("volumes", study=against) if "Sampling" in job}
    assert sampled and all("against the likeliest token" in job for job in sampled)
    assert len(sampled) == 2 * len(SPACES)


def test_a_pair_that_is_not_named_is_told(place):
    target = "results/figures/volumes/model=tiny/dataset=text-uniform/layer=3/entropy.svg"
    said = place.snakemake("--dry-run", target, study=STUDY)
    assert said.code == 1
    assert "tiny on text-uniform is not sampled; add an entry to `volumes`" in said.text
