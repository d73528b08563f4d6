"""Intervals hold the truth with few documents of unequal lengths: reduced designs of the benchmark.

Each is counted over as many data sets as seconds allow, and may miss .91 by two standard errors of
the simulation: intervals that hold .80 to .87 do not.
"""

import pytest

from benchmarks.coverage.plan import run
from benchmarks.coverage.study import Study
from benchmarks.designs import SPREAD, Design

DOCUMENTS = (8, 64)
LENGTHS = {"equal": 0.0, "log-normal": SPREAD}


@pytest.fixture(scope="module", params=LENGTHS)
def spread(request):
    return LENGTHS[request.param]


@pytest.fixture(scope="module", params=DOCUMENTS)
def documents(request):
    return request.param


def rows(*arguments, **options):
    return {row["quantity"]: row for row in run(Study(*arguments, **options))}


def at_least(least, found, quantity, of="held"):
    row = found[quantity]
    assert row[of] + 2 * row[f"{of}_se"] >= least, (quantity, row)


def test_means_and_shares_hold(documents, spread):
    found = rows("wells", "three kinds", Design(documents, spread, length=16), data_sets=150)
    for quantity in ("mean_energy", "below_zero", "below_minus_0.5"):
        at_least(0.91, found, quantity)


@pytest.mark.parametrize("few", [8, 16])
def test_depth_and_width_hold(few, spread):
    found = rows("wells", "three kinds", Design(few, spread, length=128), data_sets=80)
    for quantity in ("depth", "width"):
        at_least(0.91, found, quantity)


def test_curves_hold(documents, spread):
    found = rows("curves", "three kinds", Design(documents, spread), data_sets=50)
    for quantity in ("S", "T"):
        at_least(0.91, found, quantity)
        at_least(0.91, found, quantity, "band")


def test_differences_hold(documents, spread):
    designs = Design(documents, spread), Design(16, spread)
    found = rows("differences", "three kinds", *designs, data_sets=30)
    for quantity in ("S_a − S_b", "T_a − T_b"):
        at_least(0.91, found, quantity)
        at_least(0.91, found, quantity, "band")


@pytest.mark.parametrize(("of_a", "of_b"), [(8, 8), (64, 16)])
def test_p_values_are_small_as_often_as_they_say(spread, of_a, of_b):
    designs = Design(of_a, spread), Design(of_b, spread)
    found = rows("distances", "three kinds", *designs, data_sets=150)
    for row in found.values():
        assert row["share"] - 2 * row["share_se"] <= 0.065, row


def test_p_values_are_small_where_ensembles_differ(spread):
    designs = Design(64, spread), Design(64, spread)
    found = rows("distances", "three kinds", *designs, power=True, data_sets=100)
    assert found["area power"]["share"] >= 0.35
