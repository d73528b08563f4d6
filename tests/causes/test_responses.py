"""Causes of made-up models: means, slopes, and what remains at equal surprisal."""

import numpy as np
import pytest

from workflow_scripts.semstat.attention.tables import STUDIED
from workflow_scripts.semstat.causes.responses import Cause, describe_causes, of_attention
from workflow_scripts.semstat.causes.tables import CAUSES
from workflow_scripts.semstat.statistics.several import Number
from workflow_scripts.semstat.tables import table_of_rows
from workflow_scripts.semstat.training.observables import Place

DOCUMENTS = np.arange(20)
READING = Place("d", None, None, None, "surprisal")
OMEGA = Place("d", None, None, None, "omega")
LOOPS = Place("d", None, "sampled", 0.5, "rep_4")


def number(value, scatter=0.0, rng=None):
    scatter_d = scatter * rng.standard_normal(len(DOCUMENTS)) if rng else 0.0
    value_d = np.broadcast_to(value + scatter_d, len(DOCUMENTS))
    return Number.per(value_d, np.ones(len(DOCUMENTS)), DOCUMENTS)


def model(surprisal, omega, loops=None):
    numbers = {READING: number(surprisal), OMEGA: number(omega)}
    return numbers | ({LOOPS: number(loops)} if loops is not None else {})


NUMBERS = {
    "plain": model(3.0, 0.1, 0.2),
    "sharp-2": model(3.5, 0.3, 0.2),
    "sharp-3": model(4.5, 0.7, 0.3),
    "noise-1": model(4.0, 0.3),
    "noise-2": model(5.0, 0.5),
}
SHARP = Cause("sharp", "d", {"plain": 1.0, "sharp-3": 3.0, "sharp-2": 2.0}, ["noise"])
NOISE = Cause("noise", "d", {"plain": 0.0, "noise-1": 1.0, "noise-2": 2.0})


def rows_of(rows, **given):
    return [row for row in rows if given.items() <= row.items()]


def test_each_dose_has_what_its_models_are_like():
    rows = describe_causes([SHARP, NOISE], NUMBERS, 0.95)
    omega = rows_of(rows, cause="sharp", observable="omega", against=None)
    by_dose = {row["dose"]: row["value"] for row in omega if row["dose"] is not None}
    assert by_dose == pytest.approx({1.0: 0.1, 2.0: 0.3, 3.0: 0.7})
    (slope,) = (row for row in omega if row["dose"] is None)
    assert slope["value"] == pytest.approx(0.3) and slope["models"] == 3
    loops = rows_of(rows, cause="sharp", observable="rep_4", against=None)
    assert {row["condition"] for row in loops} == {"sampled"} and len(loops) == 4
    assert not rows_of(rows, cause="noise", against="sharp")
    table_of_rows(rows, CAUSES)


def test_what_remains_is_what_lies_above_the_other_line():
    """Noise has Ω = 0.1 + 0.2 (s − 3): 0.2 at 3.5, and 0.4 at 4.5."""
    rows = describe_causes([SHARP, NOISE], NUMBERS, 0.95)
    left = {row["dose"]: row for row in rows_of(rows, against="noise")}
    assert {dose: row["value"] for dose, row in left.items()} == pytest.approx({2.0: 0.1, 3.0: 0.3})
    assert {dose: row["surprisal"] for dose, row in left.items()} == {2.0: 3.5, 3.0: 4.5}
    assert all(row["observable"] == "omega" for row in left.values()), "noise wrote nothing"


def test_beyond_the_other_line_nothing_remains_to_be_said():
    numbers = NUMBERS | {"sharp-3": model(9.0, 0.9)}
    rows = describe_causes([SHARP, NOISE], numbers, 0.95)
    assert [row["dose"] for row in rows_of(rows, against="noise")] == [2.0]


def test_seeds_of_a_dose_are_one_group():
    rng = np.random.default_rng(0)
    doses, numbers = {}, {}
    for dose in (0.0, 0.4):
        for seed in range(3):
            name = f"{dose}-{seed}"
            doses[name] = dose
            numbers[name] = {OMEGA: number(dose + 0.1 * seed, 0.2, rng)}
    rows = describe_causes([Cause("injected", "d", doses)], numbers, 0.95)
    at = {row["dose"]: row for row in rows}
    assert at[0.0]["models"] == at[0.4]["models"] == 3 and at[None]["models"] == 6
    assert at[None]["value"] == pytest.approx((at[0.4]["value"] - at[0.0]["value"]) / 0.4)
    assert at[0.4]["value_low"] < 0.5 < at[0.4]["value_high"]


def test_shares_do_not_leave_0_to_1():
    rng = np.random.default_rng(1)
    numbers = {name: {OMEGA: number(0.01, 0.2, rng)} for name in ("a", "b")}
    rows = describe_causes([Cause("c", "d", {"a": 0.0, "b": 1.0})], numbers, 0.95)
    assert all(row["value_low"] >= 0 for row in rows if row["dose"] is not None)


def test_attention_is_the_mean_over_layers_and_states():
    column = {"layer": np.array([0, 0, 1, 1, 2, 2]), "doc": np.array([0, 1, 0, 1, 0, 1])}
    for measure in STUDIED:
        column[measure] = np.zeros(6)
        column[f"{measure}_states"] = np.zeros(6, dtype=np.int64)
    column["sink"] = np.array([0.0, 0.0, 2.0, 3.0, 4.0, 6.0])
    column["sink_states"] = np.array([0, 0, 4, 6, 4, 6])
    found = of_attention("d", column, STUDIED)
    assert {place.observable for place in found} == {"sink"}
    sink = found[Place("d", None, None, None, "sink")]
    assert sink.value == pytest.approx(15 / 20) and sink.doc_d.tolist() == [0, 1]
