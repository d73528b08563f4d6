"""Conditions of generation through the real command line: their target, tables, and what reruns."""

import copy
import csv
import json

import pytest

from tests.runs import TINY_STUDY
from workflow_scripts.semstat.generation.columns import POSITIONS, RUNS
from workflow_scripts.semstat.generation.loops import repetition
from workflow_scripts.semstat.generation.tables import CONDITIONS, ENTROPIES, TEXTS
from workflow_scripts.semstat.tables import provenance_of, read_table

PAIR = "model=tiny/dataset=text"
SHAPE = {"prompts": 4, "found_on": 2, "prompt_tokens": 8, "runs": 6, "write": 24, "fit_to": 16}
STUDY = copy.deepcopy(TINY_STUDY) | {
    "generation": [
        SHAPE
        | {
            "model": "tiny",
            "dataset": "text",
            "target": 4.0,
            "conditions": {
                "warm": {"method": "constant", "sampling_temperature": 1.0},
                "cold": {"method": "constant", "sampling_temperature": 0.5, "prompts": 3},
                "held": {"method": "scheduled", "schedule": "stepwise"},
                "followed": {"method": "scheduled", "schedule": "newton", "fit_to": 24},
                "sought": {
                    "method": "scheduled",
                    "schedule": "optimised",
                    "knots": 2,
                    "evaluations": 2,
                },
                "online": {"method": "online", "hold": 4.0, "batch": 3},
                "mirostat": {"method": "mirostat"},
            },
        }
    ]
}
CONDITION_NAMES = list(STUDY["generation"][0]["conditions"])
FIGURES = {"conditions", "comparisons", "entropies", "schedules", "costs", "held"}


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    """The finished tiny study, with all conditions written beside it."""
    place = finished.copy(tmp_path_factory.mktemp("written"))
    assert place.would_run(study=STUDY) == set(), "generation is no part of the default target"
    jobs = place.run("generation", study=STUDY)
    assert {f"Writing {name} by tiny on text" for name in CONDITION_NAMES} <= jobs
    assert {f"Describing {name} by tiny on text" for name in CONDITION_NAMES} <= jobs
    found = {job for job in jobs if job.startswith("Finding")}
    assert found == {
        f"Finding schedule {name} of tiny on text" for name in ("held", "followed", "sought")
    }
    return place


def table(place, kind, name, schema):
    return read_table(
        place.work / f"results/generation/{kind}/{PAIR}/condition={name}.parquet", schema
    )


@pytest.mark.parametrize("name", CONDITION_NAMES)
def test_every_condition_is_written_and_described(place, name):
    prompts = 3 if name == "cold" else 4
    runs = table(place, "runs", name, RUNS).to_pylist()
    assert [(row["doc"], row["run"]) for row in runs] == [
        (doc, run) for doc in range(prompts) for run in range(6)
    ]
    assert all(row["held_out"] == (row["doc"] >= 2) for row in runs)
    assert {len(row["tokens"]) for row in runs} == {24}
    positions = table(place, "positions", name, POSITIONS)
    assert positions["position"].to_pylist() == prompts * list(range(1, 25))
    assert set(table(place, "entropies", name, ENTROPIES)["condition"].to_pylist()) == {name}
    texts = table(place, "texts", name, TEXTS).to_pylist()
    assert [text["run"] for text in texts] == [run["run"] for run in runs]
    for text, run in zip(texts, runs, strict=True):
        assert text["tokens"] == 24 and text["rep_4"] == repetition(run["tokens"], 4)
        assert text["text"] or not run["tokens"]
    (of_all, *_) = table(place, "conditions", name, CONDITIONS).to_pylist()
    assert of_all["documents"] == prompts and of_all["runs"] == 6 and of_all["target"] == 4.0


def test_a_schedule_was_found_on_other_runs_and_says_what_it_cost(place):
    for name, tokens in (("held", 2 * 6 * 16), ("followed", 2 * 6 * 24)):
        path = place.work / f"results/generation/schedules/{PAIR}/{name}.json"
        found = json.loads(path.read_text())
        assert found["provenance"]["spent_tokens"] == tokens
        assert len(found["sampling_temperature"]) == tokens // 12
        written = table(place, "runs", name, RUNS)
        assert provenance_of(written.schema)["method"]["schedule"] == found["provenance"]
        for row in written.to_pylist():
            # The last one holds from there on.
            own = found["sampling_temperature"] + 8 * found["sampling_temperature"][-1:]
            assert row["sampling_temperature"] == pytest.approx(own[:24], rel=1e-6)


def test_numbers_and_figures_are_put_together(place):
    with (place.work / "results/generation/conditions.csv").open(newline="") as file:
        assert {row["condition"] for row in csv.DictReader(file)} == set(CONDITION_NAMES)
    folder = place.work / f"results/figures/generation/{PAIR}"
    assert {path.stem for path in folder.glob("*.svg")} == FIGURES
    assert {path.stem for path in folder.glob("*.pdf")} == FIGURES


def test_only_what_depends_on_a_change_runs_again(place):
    assert place.would_run("generation", study=STUDY) == set()
    drawn = {"Drawing texts by tiny on text", "Drawing costs of schedules of tiny on text"}
    drawn |= {"Drawing entropies under control by tiny on text", "Tabulating conditions"}
    drawn |= {
        "Comparing texts by tiny on text with constants",
        "Tabulating comparisons of conditions",
    }
    drawn |= {"Drawing texts by tiny on text beside constants"}
    other = copy.deepcopy(STUDY)
    conditions = other["generation"][0]["conditions"]
    conditions["edt"] = {"method": "edt"}
    added = {"Writing edt by tiny on text", "Describing edt by tiny on text"}
    added |= {"Describing each text of edt by tiny on text"}
    assert place.would_run("generation", study=other) == added | drawn
    other = copy.deepcopy(STUDY)
    other["generation"][0]["conditions"]["mirostat"]["surprise"] = 4.0
    changed = {"Writing mirostat by tiny on text", "Describing mirostat by tiny on text"}
    changed |= {"Describing each text of mirostat by tiny on text"}
    assert place.would_run("generation", study=other) == changed | drawn
    other = copy.deepcopy(STUDY)
    other["generation"][0]["target"] = 4.2
    jobs = place.would_run("generation", study=other)
    assert "Finding schedule held of tiny on text" in jobs
    assert "Writing warm by tiny on text" not in jobs


def test_more_runs_leave_those_that_there_were(place, tmp_path):
    more = place.copy(tmp_path)
    study = copy.deepcopy(STUDY)
    study["generation"][0]["runs"] = 8
    study["generation"][0]["conditions"] = {
        name: STUDY["generation"][0]["conditions"][name] for name in ("warm", "mirostat")
    }
    runs = f"results/generation/runs/{PAIR}/condition={{}}.parquet"
    more.run(*map(runs.format, ("warm", "mirostat")), study=study)
    for name in ("warm", "mirostat"):
        before = {
            (row["doc"], row["run"]): row["tokens"]
            for row in table(place, "runs", name, RUNS).to_pylist()
        }
        after = {
            (row["doc"], row["run"]): row["tokens"]
            for row in table(more, "runs", name, RUNS).to_pylist()
        }
        both = before.keys() & after.keys()
        assert len(both) == 4 * 6 and {key: before[key] for key in both} == {
            key: after[key] for key in both
        }


def test_a_pair_that_is_not_written_is_one_sentence(place):
    target = "results/figures/generation/model=tiny-random/dataset=text/conditions.svg"
    said = place.snakemake("--dry-run", target, study=STUDY)
    assert said.code == 1
    assert "tiny-random on text is not written; add an entry to `generation`" in said.text
