"""The stage through the real command line, on the finished tiny study."""

import copy

import duckdb
import pytest

from tests.results import ENSEMBLES, read_energies
from tests.runs import TINY_STUDY
from workflow_scripts.configuration.study import resolve
from workflow_scripts.semstat.errors import InputError

STUDY = copy.deepcopy(TINY_STUDY) | {"explorer": {"tail": 20, "neighbours": 4}}


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    """The finished tiny study, with its page."""
    place = finished.copy(tmp_path_factory.mktemp("explorer"))
    assert place.would_run(study=STUDY) == set(), "the explorer is no part of the default target"
    jobs = place.run("explorer", study=STUDY)
    assert jobs == {"Writing the explorer"} | {
        f"Selecting states of {model} on {dataset} for the explorer" for model, dataset in ENSEMBLES
    }
    return place


def test_the_page_holds_all_of_a_small_study(place):
    page = place.work / "results/explorer.html"
    assert 0 < page.stat().st_size < 32e6
    for model, dataset in ENSEMBLES:
        path = place.work / f"results/explorer/states/model={model}/dataset={dataset}.parquet"
        found = duckdb.execute(
            "SELECT layer, count(*) FROM read_parquet($1) GROUP BY layer", [str(path)]
        )
        for layer, count in found.fetchall():
            assert count == len(
                read_energies(place.work / "results", model, dataset, layer)["energy"]
            )


def test_another_script_writes_the_page_alone(place):
    assert place.would_run("explorer", study=STUDY) == set()
    script = place.clone / "workflow_scripts/explorer/page/main.js"
    before = script.read_text()
    script.write_text(before + "\n// more\n")
    assert place.would_run("explorer", study=STUDY) == {"Writing the explorer"}
    script.write_text(before)


def test_keys_are_checked():
    assert resolve(TINY_STUDY)["explorer"] == {
        "megabytes": 32,
        "tail": 500,
        "neighbours": 12,
        "seed": 0,
    }
    with pytest.raises(InputError, match=r"explorer\.megabytes"):
        resolve(TINY_STUDY | {"explorer": {"megabytes": 0}})
    with pytest.raises(InputError, match=r"explorer"):
        resolve(TINY_STUDY | {"explorer": {"tails": 3}})
