"""Counts on the grid are the empirical distribution function at its points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts.semstat.thermodynamics.energy_grid import (
    BLOCKS,
    SMALLEST,
    count_states,
    energy_edges,
)

EDGES = energy_edges()


def test_the_grid_is_symmetric_and_holds_the_energies_that_are_tabulated():
    assert (np.diff(EDGES) > 0).all()
    np.testing.assert_array_equal(EDGES, -EDGES[::-1])
    assert {-1.0, -0.5, -0.1, 0.0, 0.1, 0.5, 1.0} <= set(EDGES)
    assert np.isclose(EDGES[EDGES > 0][0], SMALLEST) and np.isclose(1 - EDGES[-2], SMALLEST)


def test_the_grid_is_fine_near_zero_and_near_one():
    for distance in (np.abs(EDGES), 1 - np.abs(EDGES)):
        inner = distance[(EDGES > 0) & (distance > 0) & (distance < 0.3)]
        ratios = np.exp(np.abs(np.diff(np.log(inner))))
        assert ratios.max() < 1.13


@pytest.fixture(params=["bulk", "tails", "float32", "on the grid"])
def energies(request):
    rng = np.random.default_rng(0)
    return {
        "bulk": 10.0 ** -rng.uniform(0, 14, 5000) * rng.choice([-1, 0, 1], 5000),
        "tails": 1 - 10.0 ** -rng.uniform(0, 9, 5000),
        "float32": rng.uniform(-1, 1, 5000).astype(np.float32),
        "on the grid": rng.choice(EDGES, 5000),
    }[request.param]


def test_cumulated_counts_are_the_edf_at_every_edge(energies):
    doc_s = np.arange(len(energies)) // 3
    block_s = doc_s % BLOCKS
    counts = count_states(energies, doc_s, EDGES)
    volume_e = counts.counts_be.sum(axis=0).cumsum() / len(energies)
    edf_e = (energies[:, None].astype(float) <= EDGES).mean(axis=0)
    np.testing.assert_allclose(volume_e, edf_e, rtol=0, atol=1e-12)
    assert counts.counts_be.shape == (BLOCKS, len(EDGES)) and counts.counts_be.dtype == np.int64
    for block in (0, 17):
        np.testing.assert_array_equal(
            counts.counts_be[block].cumsum(),
            (energies[block_s == block][:, None] <= EDGES).sum(axis=0),
        )
    np.testing.assert_array_equal(
        counts.at_zero_b, np.bincount(block_s[energies == 0], minlength=BLOCKS)
    )
    squared_b = np.bincount(np.arange(doc_s[-1] + 1) % BLOCKS, np.bincount(doc_s) ** 2, BLOCKS)
    np.testing.assert_array_equal(counts.squared_b, squared_b)


@settings(deadline=None, database=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 3 * BLOCKS)), max_size=30))
def test_counts_of_parts_add_up(states):
    energy_s = np.array([energy for energy, _ in states], dtype=float)
    doc_s = np.array([doc for _, doc in states], dtype=int)
    whole = count_states(energy_s, doc_s, EDGES)
    parts = [count_states(energy_s[doc_s % 2 == i], doc_s[doc_s % 2 == i], EDGES) for i in (0, 1)]
    for one, first, second in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(one, first + second)
    assert whole.counts_be.sum() == len(states)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1.0000001, -1.5])
def test_what_is_not_an_energy_is_refused(wrong):
    with pytest.raises(ValueError, match=r"^energy \S+ is outside \[-1, 1\]$"):
        count_states(np.array([0.5, wrong]), np.array([0, 1]), EDGES)
