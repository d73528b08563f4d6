"""Block errors against the variances that closed forms have."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from workflow_scripts.semstat.statistics.block_errors import (
    ErrorBars,
    Estimate,
    block_residuals,
    density_inefficiency,
    state_inefficiency,
)
from workflow_scripts.semstat.statistics.closed_forms import uniform
from workflow_scripts.semstat.thermodynamics.energy_grid import BLOCKS, count_states, energy_edges

EDGES = energy_edges()


def counted(seed, documents, states, correlation):
    energy_s, doc_s = uniform().sample(np.random.default_rng(seed), documents, states, correlation)
    return count_states(energy_s, doc_s % BLOCKS, EDGES).counts_be.astype(float)


def test_residuals_give_the_variance_of_a_share():
    """Independent states: the variance of a count is binomial."""
    squares = []
    below = EDGES <= -0.5
    for seed in range(300):
        count_be = counted(seed, 64, 20, 0.0)
        residual = block_residuals(count_be[:, below].sum(axis=1)[:, None], count_be.sum(axis=1))
        assert residual.sum() == pytest.approx(0, abs=1e-9)
        squares.append(np.sum(residual**2))
    assert np.mean(squares) == pytest.approx(64 * 20 * 0.25 * 0.75, rel=0.05)


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.6])
def test_inefficiency_of_exchangeable_states(correlation):
    """g = 1 + (m − 1) r, r the correlation of the indicators H ≤ E, pooled over energies."""
    states = 30
    found = [state_inefficiency(counted(seed, 256, states, correlation)) for seed in range(30)]
    level = np.arange(1, 20) / 20
    shared = np.random.default_rng(0).standard_normal(200_000)
    given = ndtr((ndtri(level)[:, None] - np.sqrt(correlation) * shared) / np.sqrt(1 - correlation))
    r = np.sum(given.var(axis=1)) / np.sum(level * (1 - level))
    assert np.mean(found) == pytest.approx(1 + (states - 1) * r, rel=0.06)


def test_neighbouring_cells_are_less_correlated_than_sides_of_an_energy():
    count_be = counted(0, 256, 30, 0.4)
    assert 1.5 < density_inefficiency(count_be) < state_inefficiency(count_be) / 1.5


def test_states_at_one_energy_have_an_inefficiency_of_1():
    count_be = np.zeros((8, len(EDGES)))
    count_be[:, 7] = np.arange(1, 9)
    assert state_inefficiency(count_be) == density_inefficiency(count_be) == 1.0


def test_band_of_one_energy_is_its_interval_and_of_many_is_wider():
    rng = np.random.default_rng(0)
    error_eu = rng.standard_normal((200, 64))
    estimate = Estimate(np.zeros(200), error_eu)
    one = ErrorBars.resample(64, 64, 20_000, 0.95, np.arange(200) == 5, rng)(estimate)
    many = ErrorBars.resample(64, 64, 20_000, 0.95, np.ones(200, bool), rng)(estimate)
    assert one.band_high[5] == pytest.approx(one.high[5], rel=0.04)
    assert np.isnan(one.band_high[6])
    # 200 independent deviations: the largest is below c with probability (1 − 2 Φ(−c))^200 = 0.95
    assert np.median(many.band_high / many.high) == pytest.approx(3.66 * 1.05 / 2.0, rel=0.05)


def test_three_blocks_have_the_interval_of_student_with_two_degrees_of_freedom():
    estimate = Estimate(np.zeros(1), np.ones((1, 3)))
    bars = ErrorBars.resample(3, 3, 10, 0.95, np.ones(1, bool), np.random.default_rng(0))
    assert bars(estimate).high[0] == pytest.approx(4.303 * np.sqrt(3), rel=1e-3)
