"""Depth and width with few documents: intervals hold the truth, or say that they cannot tell."""

import numpy as np
import pytest
from scipy.special import ndtri

from workflow_scripts.semstat.statistics.closed_forms import beta, log_uniform, uniform
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges
from workflow_scripts.semstat.thermodynamics.states import sum_states
from workflow_scripts.semstat.thermodynamics.wells import LEVEL, describe_wells

EDGES = energy_edges()
SYSTEMS = [uniform(), beta(3, 1), log_uniform()]
DATA_SETS = 40


def wells_of(system, rng, documents, correlation, spread, mean=200):
    """Well numbers of documents whose lengths are equal or spread log-normally."""
    spread_d = spread * rng.standard_normal(documents) - spread**2 / 2
    states_d = np.maximum(1, np.rint(mean * np.exp(spread_d))).astype(int)
    energy_s, doc_s = system.sample(rng, documents, states_d.max(), correlation)
    place_s = np.tile(np.arange(states_d.max()), documents)
    kept_s = place_s < states_d[doc_s]
    none_s = np.zeros(kept_s.sum(), dtype=int)
    column = {"doc": doc_s[kept_s], "energy": energy_s[kept_s]}
    column |= {"top": none_s, "last": none_s, "correct": none_s}
    (found,), _ = describe_wells([sum_states(column, EDGES)], EDGES, rng, resamples=100)
    return found


@pytest.mark.parametrize("spread", [0.0, 1.3])
@pytest.mark.parametrize("correlation", [0.0, 0.4])
@pytest.mark.parametrize("documents", [8, 16])
def test_intervals_hold_with_few_documents(documents, correlation, spread):
    held = {"depth": [], "width": []}
    for number, system in enumerate(SYSTEMS):
        quartile_q = system.quantile(np.array([0.25, 0.75]) * float(system.volume(-1e-300)))
        truth = {
            "depth": float(system.quantile(np.array(LEVEL))),
            "width": float(quartile_q[1] - quartile_q[0]),
        }
        rng = np.random.default_rng(number)
        for _ in range(DATA_SETS):
            found = wells_of(system, rng, documents, correlation, spread)
            for name, exact in truth.items():
                _, low, high = found[name]
                if not np.isnan(low):
                    held[name].append(low <= exact <= high)
    for name, of_name in held.items():
        assert len(of_name) > 70, name
        # 0.91, less 2.5 standard errors of so many data sets.
        assert np.mean(of_name) >= 0.91 - 2.5 * np.sqrt(0.91 * 0.09 / len(of_name)), name


def test_an_interval_narrows_as_documents_become_many():
    """Where Ω at the lowest state is surely below the level, so is the lower bound above −1."""
    rng = np.random.default_rng(0)
    few, many = (wells_of(uniform(), rng, documents, 0.1, 0.0) for documents in (16, 250))
    assert few["depth"].low == -1 < many["depth"].low
    for name in ("depth", "width"):
        assert many[name].high - many[name].low < 0.6 * (few[name].high - few[name].low), name


def test_a_well_narrower_than_a_cell_of_the_grid_is_bounded_by_the_cell():
    quartile_q = -0.6 + 0.02 * ndtri([0.25, 0.75])
    exact = {"depth": -0.6 + 0.02 * ndtri(LEVEL / 0.3), "width": quartile_q[1] - quartile_q[0]}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        in_well_s = rng.random(64 * 200) < 0.3
        energy_s = np.where(in_well_s, rng.normal(-0.6, 0.02, in_well_s.size), 0.5)
        none_s = np.zeros(energy_s.size, dtype=int)
        column = {"doc": np.repeat(np.arange(64), 200), "energy": energy_s}
        column |= {"top": none_s, "last": none_s, "correct": none_s}
        (found,), _ = describe_wells([sum_states(column, EDGES)], EDGES, rng, resamples=2)
        for name, truth in exact.items():
            assert found[name].low <= truth <= found[name].high, name
