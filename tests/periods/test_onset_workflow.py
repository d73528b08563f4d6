"""Onsets and known periods through the real command line, on texts that a tiny model writes."""

import copy
import csv

import numpy as np
import pytest

from tests.results import tokens_path
from tests.runs import TINY_STUDY, command, complaint
from workflow_scripts.periods.configuration import null_of, plain_of
from workflow_scripts.semstat.periods.onset_tables import FOUND, ONSETS, WARNINGS
from workflow_scripts.semstat.periods.onsets import LAGS, find_onset
from workflow_scripts.semstat.tables import read_table
from workflow_scripts.semstat.tokens.tables import TOKENS

PERIODS = 16
STUDY = {
    "measurement": TINY_STUDY["measurement"] | {"layers": [0, 3], "context": 63, "stride": 63},
    "models": {
        "tiny": TINY_STUDY["models"]["tiny"],
        "loops": {"like": "tiny", "rivals": {"periods": PERIODS}},
        "loops-null": {"like": "tiny", "rivals": {"periods": PERIODS, "history": "elsewhere"}},
    },
    "datasets": {
        "text": TINY_STUDY["datasets"]["text"] | {"measured": False, "shards": 1},
        "own": {
            "source": "generated",
            "of": "text",
            "prompt_tokens": 4,
            "tokens_per_document": 62,
            "sampling_temperature": 0,
            "documents_per_shard": 4,
            "shards": 2,
        },
        "units": {
            "source": "ensemble",
            "of": "text",
            "ensemble": "repeated",
            "prefix_tokens": 8,
            "unit": 3,
            "repetitions": [1, 4],
            "documents_per_shard": 8,
        },
    },
}


@pytest.fixture(scope="module")
def place(pristine, tmp_path_factory):
    place = pristine.copy(tmp_path_factory.mktemp("onsets"))
    place.run("periods", study=copy.deepcopy(STUDY))
    return place


def rows(place, folder, dataset, schema):
    path = place.work / f"results/{folder}/model=loops/dataset={dataset}.parquet"
    return read_table(path, schema).to_pylist()


def onsets(place):
    tables = [
        read_table(tokens_path(place.work / "results", "loops", "own", shard), TOKENS)
        for shard in (0, 1)
    ]
    texts = [tokens_t for table in tables for tokens_t in table["tokens"]]
    found = [find_onset(np.array(tokens_t.as_py())) for tokens_t in texts]
    return [onset for onset in found if onset and onset.period <= PERIODS]


def test_onsets_are_told_by_layer_observable_and_lag(place):
    found = rows(place, "onsets", "own", ONSETS)
    assert {(row["layer"], row["lag"]) for row in found} == {(n, k) for n in (0, 3) for k in LAGS}
    planted = onsets(place)
    assert planted, "the tiny model goes round in circles"
    at_once = [row for row in found if row["lag"] == 0]
    assert {row["documents"] for row in at_once} == {len(planted)}
    assert {row["observable"] for row in at_once if row["value"] is not None} >= {
        "energy",
        "closes",
    }
    final = [row for row in found if row["layer"] == 3 and row["observable"] == "loop_energy"]
    assert all(row["value"] >= 0 for row in final if row["documents"]), "greedy text has no H < 0"
    warnings = rows(place, "onset_warnings", "own", WARNINGS)
    assert {row["onsets"] for row in warnings} == {len(planted)}
    for name in ("onsets", "onset_warnings", "found_periods"):
        with (place.work / f"results/{name}.csv").open(newline="") as file:
            assert {row["model"] for row in csv.DictReader(file)} == {"loops"}


def test_periods_are_found_in_loops_that_were_written(place):
    final = [row for row in rows(place, "found_periods", "own", FOUND) if row["layer"] == 3]
    assert [row["documents"] for row in final] == [len(onsets(place))]
    assert final[0]["found"] == 1, "greedy text is what is most probable"


def test_periods_of_units_are_told_by_copies(place):
    found = rows(place, "found_periods", "units", FOUND)
    assert [(row["layer"], row["copies"]) for row in found] == [(0, 1), (0, 4), (3, 1), (3, 4)]
    assert all(row["documents"] == 8 and 0 <= row["found"] <= 1 for row in found)
    folder = place.work / "results/figures/periods/model=loops"
    made = {str(path.relative_to(folder)) for path in folder.rglob("*.svg")}
    assert made == {
        "dataset=own/onsets.svg",
        "dataset=own/periods.svg",
        "dataset=units/found.svg",
        "dataset=units/periods.svg",
    }


def test_other_files_are_one_sentence(place):
    results = place.work / "results"

    def energies(model, dataset):
        return results / f"energies/model={model}/dataset={dataset}/layer=3/shard=0.parquet"

    def describe(name, dataset, null, tokens):
        return command(
            f"periods.{name}",
            *("--own", energies("loops", dataset), "--null", energies(*null)),
            *("--tokens", tokens, "--out", "out.parquet"),
            *(("--warnings", "w.parquet") if name == "describe_onsets" else ()),
            cwd=place.work,
        )

    own = tokens_path(results, "loops", "own", 0)
    units = tokens_path(results, "loops", "units", 0)
    complaint(describe("describe_onsets", "units", ("loops-null", "units"), units), "generated")
    complaint(
        describe("describe_found", "own", ("loops-null", "units"), own), "another tokens than"
    )
    other = results / "tokens/model=loops/dataset=own/shard=1.parquet"
    complaint(describe("describe_found", "own", ("loops-null", "own"), other), "--tokens")


def test_entries_are_beside_those_that_differ_in_rivals_alone():
    def spec(rivals="last", **more):
        return {"weights": "w", "rivals": rivals, "like": "w"} | more

    own, null = ({"periods": 4, "history": history} for history in ("own", "elsewhere"))
    models = {
        "damped": spec(intervention="x"),
        "plain": spec(source="hub"),
        "loops": spec(own),
        "longer-null": spec(null | {"periods": 5}),
        "null": spec(null | {"seed": 1}),
        "loops-damped": spec(own, intervention="y"),
    }
    assert (plain_of("loops", models), null_of("loops", models)) == ("plain", "null")
    assert (plain_of("loops-damped", models), null_of("loops-damped", models)) == (None, None)
    assert null_of("null", models) is None
