"""Intervals hold the truth with few documents of unequal lengths: reduced designs of the benchmark.

Each is counted over as many data sets as seconds allow; standard errors of the shares are .01 to
.02, so that .91 is missed by error bars that hold .87.
"""

import pytest

from benchmarks.coverage.plan import run
from benchmarks.coverage.study import Study
from benchmarks.designs import SPREAD, Design

DOCUMENTS = (8, 16, 64)
LENGTHS = {"equal": 0.0, "log-normal": SPREAD}


@pytest.fixture(scope="module", params=LENGTHS)
def spread(request):
    return LENGTHS[request.param]


@pytest.fixture(scope="module", params=DOCUMENTS)
def documents(request):
    return request.param


def rows(*arguments, **options):
    return {row["quantity"]: row for row in run(Study(*arguments, **options))}


def test_means_and_shares_hold(documents, spread):
    found = rows("wells", "three kinds", Design(documents, spread, length=16), data_sets=400)
    for quantity in ("mean_energy", "below_zero", "below_minus_0.5"):
        assert found[quantity]["held"] >= 0.91, quantity


def test_curves_hold(documents, spread):
    found = rows("curves", "three kinds", Design(documents, spread), data_sets=100)
    for quantity in ("S", "T"):
        assert found[quantity]["held"] >= 0.91, quantity


def test_differences_hold(documents, spread):
    designs = Design(documents, spread), Design(16, spread)
    found = rows("differences", "three kinds", *designs, data_sets=50)
    for quantity in ("S_a − S_b", "T_a − T_b"):
        assert found[quantity]["held"] >= 0.91, quantity
        assert found[quantity]["band"] >= 0.85, quantity
