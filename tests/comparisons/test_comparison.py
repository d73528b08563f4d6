"""Comparisons against pairs of systems whose difference is known."""

import numpy as np
import pytest

from workflow_scripts.semstat.comparisons.comparison import difference, distance
from workflow_scripts.semstat.statistics.closed_forms import beta, uniform
from workflow_scripts.semstat.thermodynamics.energy_grid import (
    StateCounts,
    count_states,
    energy_edges,
)

EDGES = energy_edges()


def sampled(system, seed, documents=200, states=25, correlation=0.1) -> StateCounts:
    energy_s, doc_s = system.sample(np.random.default_rng(seed), documents, states, correlation)
    return count_states(energy_s, doc_s, EDGES)


def shifted_pair(seed, shift):
    """Two ensembles of the same documents: the second is the first, its energies lowered."""
    energy_s, doc_s = beta(2, 5).sample(np.random.default_rng(seed), 200, 25, 0.5)
    lowered_s = -1 + (1 + energy_s) * (1 - shift)
    return tuple(count_states(e, doc_s, EDGES) for e in (energy_s, lowered_s))


def rng():
    return np.random.default_rng(0)


def test_differences_are_exact_within_their_error_bars():
    a, b = uniform(), beta(2, 2)
    at = np.searchsorted(EDGES, [-0.9, -0.5, -0.1, 0.2, 0.6])
    energy = EDGES[at]
    exact = {
        "entropy": np.log(a.volume(energy) / b.volume(energy)),
        "log_temperature": np.log(a.temperature(energy) / b.temperature(energy)),
        "temperature": a.temperature(energy) - b.temperature(energy),
    }
    scores = {name: [] for name in exact}
    for seed in range(8):
        found = difference(sampled(a, seed), sampled(b, seed + 100), EDGES, rng(), paired=False)
        for name, truth in exact.items():
            curve = getattr(found, name)
            scores[name].append(4 * (curve.value[at] - truth) / (curve.high - curve.low)[at])
    for name, score in scores.items():
        assert 0.5 < np.sqrt(np.mean(np.square(score))) < 1.6, name


def test_pairing_narrows_a_difference_of_the_same_documents():
    a, b = shifted_pair(0, 0.02)
    middle = np.searchsorted(EDGES, -0.4)
    widths = [
        np.ptp([curve.low[middle], curve.high[middle]])
        for curve in (difference(a, b, EDGES, rng(), paired=p).entropy for p in (True, False))
    ]
    assert widths[0] < widths[1] / 3


def test_an_ensemble_differs_from_itself_by_nothing():
    counts = sampled(uniform(), 1)
    found = difference(counts, counts, EDGES, rng(), paired=True)
    defined = np.isfinite(found.entropy.value)
    assert np.all(found.entropy.value[defined] == 0)
    assert np.all(found.entropy.low[defined] == 0)
    assert distance(counts, counts, EDGES, rng(), paired=True)[:3] == (0.0, 0.0, 1.0)


def test_distance_of_two_known_systems():
    """∫|Ω_a − Ω_b| = |⟨H⟩_a − ⟨H⟩_b| for ordered distributions: 0 + 3/7 for Beta(2, 5)."""
    found = distance(
        sampled(uniform(), 2, states=200), sampled(beta(2, 5), 3, states=200), EDGES, rng(), False
    )
    grid = np.linspace(-1, 1, 100_001)
    gap = np.abs(uniform().volume(grid) - beta(2, 5).volume(grid))
    assert found.area == pytest.approx(3 / 7, abs=0.05)
    assert found.kolmogorov_smirnov == pytest.approx(gap.max(), abs=0.04)
    assert found.area_p == found.kolmogorov_smirnov_p == 0.001


@pytest.mark.parametrize("paired", [True, False])
def test_p_values_are_uniform_when_nothing_differs(paired):
    p_values = []
    for seed in range(60):
        if paired:
            energy_s, doc_s = uniform().sample(np.random.default_rng(seed), 100, 20, 0.3)
            half_s = np.arange(len(energy_s)) % 2 == 0
            a, b = (count_states(energy_s[part], doc_s[part], EDGES) for part in (half_s, ~half_s))
        else:
            a, b = (
                sampled(uniform(), seed, 64, 20, 0.3),
                sampled(uniform(), seed + 999, 64, 20, 0.3),
            )
        p_values.append(distance(a, b, EDGES, np.random.default_rng(seed), paired, 199)[3])
    assert 0.4 < np.mean(p_values) < 0.6
    assert 0.01 <= np.mean(np.array(p_values) <= 0.1) <= 0.22


def test_a_small_shift_of_the_same_documents_is_found_by_pairing_alone():
    a, b = shifted_pair(4, 0.01)
    assert distance(a, b, EDGES, rng(), paired=True).area_p < 0.01
    assert distance(a, b, EDGES, rng(), paired=False).area_p > 0.2


def test_ensembles_of_other_blocks_are_not_paired():
    a, b = sampled(uniform(), 1), sampled(uniform(), 1, documents=10)
    for compare in (difference, distance):
        with pytest.raises(ValueError, match="same blocks"):
            compare(a, b, EDGES, rng(), paired=True)
