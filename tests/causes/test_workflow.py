"""The stage through the real command line: its table and its figures, and what they rest on."""

import copy
import csv

import pytest

from tests.causes.test_configuration import DECODING
from tests.runs import TINY_STUDY
from workflow_scripts.semstat.causes.tables import CAUSES
from workflow_scripts.semstat.tables import read_table

STUDY = copy.deepcopy(TINY_STUDY) | {
    "attention": [{"model": "tiny", "dataset": "text", "quantiles": 3, "draws": 20}],
    "decoding": [DECODING | {"model": ["tiny", "tiny-random"]}],
    "causes": [
        {"cause": "weights", "dataset": "text", "doses": {"tiny": 0, "tiny-random": 1}},
        {"cause": "heat", "dataset": "text", "model": "tiny", "condition": "sampled"},
    ],
}


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    """The finished tiny study, with causes beside it."""
    place = finished.copy(tmp_path_factory.mktemp("causes"))
    assert place.would_run(study=STUDY) == set(), "causes are no part of the default target"
    jobs = place.run("causes", study=STUDY)
    assert "Putting causes side by side" in jobs
    assert not any(job.startswith("Measuring energies") for job in jobs)
    return place


def test_responses_are_told_of_reading_writing_and_attention(place):
    rows = read_table(place.work / "results/causes/causes.parquet", CAUSES).to_pylist()
    found = {(row["cause"], row["observable"]): row for row in rows}
    for observable in ("surprisal", "omega", "energy", "rep_4", "looping"):
        assert ("weights", observable) in found
    assert ("heat", "rep_4") in found and ("heat", "omega") not in found
    heated = [row for row in rows if (row["cause"], row["observable"]) == ("heat", "rep_4")]
    assert {row["dose"] for row in heated} == {0.5, 1.0, None}
    assert {row["condition"] for row in heated} == {"sampled"}
    attended = [row for row in rows if row["observable"] == "row_entropy"]
    assert [row["dose"] for row in attended] == [0.0], "it was measured of one model alone"
    slopes = [row for row in rows if row["dose"] is None]
    assert all(row["models"] == 2 for row in slopes)


def test_numbers_and_figures_are_put_together(place):
    with (place.work / "results/causes.csv").open(newline="") as file:
        assert {row["cause"] for row in csv.DictReader(file)} == {"weights", "heat"}
    folder = place.work / "results/figures/causes/dataset=text"
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{suffix}" for name in ("doses", "remains") for suffix in ("svg", "pdf")
    }
    assert place.would_run("causes", study=STUDY) == set()


def test_another_dose_reruns_no_model(place):
    study = copy.deepcopy(STUDY)
    study["causes"][0]["doses"]["tiny-random"] = 2
    assert place.would_run("causes", study=study) == {
        *("Putting causes side by side", "Tabulating causes", "Drawing causes on text")
    }
