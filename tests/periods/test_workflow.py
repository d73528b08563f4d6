"""The stage through the real command line: a model with other rivals is a model like any."""

import copy
import csv

import numpy as np
import pytest

from tests.results import energies_path
from tests.runs import TINY_STUDY
from workflow_scripts.configuration.study import resolve
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.periods.tables import PERIODS
from workflow_scripts.semstat.tables import provenance_of, read_table

STUDY = copy.deepcopy(TINY_STUDY)
STUDY["datasets"] = {"text": TINY_STUDY["datasets"]["text"]}
STUDY["models"] |= {
    "loops": {"like": "tiny", "rivals": {"periods": 6}},
    "loops-null": {"like": "tiny", "rivals": {"periods": 6, "history": "elsewhere"}},
}


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    place = finished.copy(tmp_path_factory.mktemp("periods"))
    assert not any("energies of tiny on" in job for job in place.would_run(study=STUDY))
    place.run("periods", "results/wells.csv", study=STUDY)
    return place


def energies(place, model, layer):
    tables = [
        read_table(energies_path(place.work / "results", model, "text", layer, shard), ENERGIES)
        for shard in (0, 1)
    ]
    return tables[0], {
        name: np.concatenate([table[name].to_numpy() for table in tables])
        for name in ("doc", "position", "last", "correct", "energy")
    }


def test_loop_energies_lie_below_those_of_the_last_token(place):
    layer = TINY_STUDY["measurement"]["layers"][-1]
    table, loops = energies(place, "loops", layer)
    _, plain = energies(place, "tiny", layer)
    for name in ("doc", "position", "correct"):
        np.testing.assert_array_equal(loops[name], plain[name])
    apart = plain["last"] != plain["correct"]
    assert (loops["energy"] <= plain["energy"])[apart].all()
    assert (loops["energy"] < plain["energy"])[apart].mean() > 0.5
    said = provenance_of(table.schema)
    assert said["rivals_of"] == {"periods": 6, "history": "own"}
    assert said["readout"] == "logit_lens"


def test_loops_are_told_by_layer_and_period_beside_the_null(place):
    path = place.work / "results/periods/model=loops/dataset=text.parquet"
    rows = read_table(path, PERIODS).to_pylist()
    assert {row["layer"] for row in rows} == set(TINY_STUDY["measurement"]["layers"])
    assert {row["period"] for row in rows} == {None, *range(1, 7)}
    for row in rows:
        assert 0 <= row["share"] <= 1 and 0 <= row["null"] <= 1
    layer = TINY_STUDY["measurement"]["layers"][-1]
    _, loops = energies(place, "loops", layer)
    (every,) = (row for row in rows if row["layer"] == layer and row["period"] is None)
    assert every["share"] == pytest.approx((loops["energy"] < 0).mean())
    _, null = energies(place, "loops-null", layer)
    assert every["null"] == pytest.approx((null["energy"] < 0).mean())
    with (place.work / "results/periods.csv").open(newline="") as file:
        assert {row["model"] for row in csv.DictReader(file)} == {"loops"}
    with (place.work / "results/wells.csv").open(newline="") as file:
        assert {"loops", "loops-null"} <= {row["model"] for row in csv.DictReader(file)}
    folder = place.work / "results/figures/periods/model=loops/dataset=text"
    assert {path.name for path in folder.iterdir()} == {"periods.svg", "periods.pdf"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"rivals": {"periods": 1}}, r"models\.loops\.rivals\.periods: 1 is less than the minimum"),
        (
            {"rivals": {"periods": 100}, "context": 64},
            r"100 are not below the context of 64 tokens",
        ),
        ({"rivals": {"periods": 4, "history": "none"}}, r"models\.loops\.rivals\.history"),
        ({"rivals": "first"}, r"models\.loops\.rivals"),
    ],
)
def test_wrong_rivals_are_one_sentence(entry, said):
    study = copy.deepcopy(STUDY)
    study["models"]["loops"] = {"like": "tiny"} | entry
    with pytest.raises(InputError, match=said) as error:
        resolve(study)
    assert "\n" not in str(error.value)
