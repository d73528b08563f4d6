"""Scatter between blocks of documents against what closed forms and simulations have."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri, stdtrit

from workflow_scripts.semstat.statistics.block_errors import ErrorBars
from workflow_scripts.semstat.statistics.blocks import Blocks
from workflow_scripts.semstat.statistics.closed_forms import uniform
from workflow_scripts.semstat.thermodynamics.curves import checked_counts
from workflow_scripts.semstat.thermodynamics.energy_grid import count_states, energy_edges

EDGES = energy_edges()


def counted(seed, documents, states, correlation):
    energy_s, doc_s = uniform().sample(np.random.default_rng(seed), documents, states, correlation)
    count_be, _, blocks = checked_counts(count_states(energy_s, doc_s, EDGES), EDGES)
    return count_be, blocks


def normal_sums(documents, correlation, draws):
    """Blocks of unequal documents, and sums over their states whose means are of their model."""
    rng = np.random.default_rng(documents)
    states_b = np.maximum(1.0, np.round(rng.lognormal(3.5, 1.3, documents)))
    blocks = Blocks(states_b, states_b**2, correlation)
    normal_br = rng.standard_normal((documents, draws))
    return blocks, (states_b * np.sqrt(blocks.variance_b))[:, None] * normal_br


def test_residuals_give_the_variance_of_a_share():
    """Independent states: the variance of a count is binomial."""
    squares = []
    below = EDGES <= -0.5
    for seed in range(300):
        count_be, blocks = counted(seed, 64, 20, 0.0)
        residual = blocks.residuals(count_be[:, below].sum(axis=1)[:, None])
        assert residual.sum() == pytest.approx(0, abs=1e-9)
        squares.append(np.sum(residual**2))
    assert np.mean(squares) == pytest.approx(64 * 20 * 0.25 * 0.75, rel=0.05)


@pytest.mark.parametrize("correlation", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("documents", [4, 12, 60])
def test_few_unequal_blocks_still_tell_the_variance_of_a_mean(documents, correlation):
    """Under the working model the estimated variance is right on average, whatever the lengths."""
    blocks, sum_br = normal_sums(documents, correlation, 20_000)
    estimated = np.sum(blocks.residuals(sum_br) ** 2) / 20_000
    exact = np.sum(blocks.states_b**2 * blocks.variance_b)
    assert estimated == pytest.approx(exact, rel=0.04)


@pytest.mark.parametrize("blocks", [2, 3, 8, 64])
def test_blocks_that_are_alike_have_one_degree_of_freedom_less(blocks):
    assert Blocks.alike(blocks).freedom == pytest.approx(blocks - 1, rel=1e-5)
    assert Blocks.alike(blocks).inflation_b == pytest.approx(np.sqrt(blocks / (blocks - 1)))


@pytest.mark.parametrize("correlation", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("documents", [2, 8, 30])
def test_effective_degrees_of_freedom_give_the_exact_interval(documents, correlation):
    blocks, sum_br = normal_sums(documents, correlation, 100_000)
    error_r = np.linalg.norm(blocks.residuals(sum_br), axis=1)
    held = np.abs(sum_br.sum(axis=0)) <= stdtrit(blocks.freedom, 0.975) * error_r
    assert np.mean(held) == pytest.approx(0.95, abs=0.0025)
    assert blocks.freedom <= 1.05 * (documents - 1)


@pytest.mark.parametrize("correlation", [0.0, 0.1, 1.0])
def test_one_document_among_specks_leaves_few_degrees_of_freedom(correlation):
    states_b = np.array([1e9] + [1.0] * 30)
    assert 0.9 < Blocks(states_b, states_b**2, correlation).freedom < 6


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.6])
def test_inefficiency_of_exchangeable_states(correlation):
    """g = 1 + (m − 1) r, r the correlation of the indicators H ≤ E, pooled over energies."""
    states = 30
    found = [counted(seed, 256, states, correlation) for seed in range(30)]
    level = np.arange(1, 20) / 20
    shared = np.random.default_rng(0).standard_normal(200_000)
    given = ndtr((ndtri(level)[:, None] - np.sqrt(correlation) * shared) / np.sqrt(1 - correlation))
    r = np.sum(given.var(axis=1)) / np.sum(level * (1 - level))
    inefficiency = np.mean([blocks.state_inefficiency(count_be) for count_be, blocks in found])
    assert inefficiency == pytest.approx(1 + (states - 1) * r, rel=0.06)
    assert np.mean([blocks.correlation for _, blocks in found]) == pytest.approx(r, abs=0.01)


def test_correlation_is_that_within_documents_however_they_share_blocks():
    """1,000 documents in 256 blocks: of three or four each."""
    found = [counted(seed, 1000, 30, 0.2)[1].correlation for seed in range(10)]
    alone = [counted(seed, 250, 30, 0.2)[1].correlation for seed in range(10)]
    assert np.mean(found) == pytest.approx(np.mean(alone), abs=0.01)


def test_neighbouring_cells_are_less_correlated_than_sides_of_an_energy():
    count_be, blocks = counted(0, 256, 30, 0.4)
    density = blocks.density_inefficiency(count_be)
    assert 1.5 < density < blocks.state_inefficiency(count_be) / 1.5


def test_states_at_one_energy_have_an_inefficiency_of_1():
    count_be = np.zeros((8, len(EDGES)))
    count_be[:, 7] = np.arange(1, 9)
    blocks = Blocks.of_counts(count_be, count_be[:, 7] ** 2)
    assert blocks.correlation == 0
    assert blocks.state_inefficiency(count_be) == blocks.density_inefficiency(count_be) == 1.0


def rare_shares(rng, documents, states, correlation):
    """Counts up to ascending quantiles, RARE among them, of states with a Gaussian copula."""
    shared = np.sqrt(correlation) * rng.standard_normal((documents, 1))
    normal = shared + np.sqrt(1 - correlation) * rng.standard_normal((documents, states))
    quantiles = np.concatenate([RARE, np.arange(1, 20) / 20])
    return np.stack([(normal <= ndtri(q)).sum(axis=1) for q in np.sort(quantiles)], axis=1)


RARE = np.array([0.003, 0.01, 0.03])


def test_rare_shares_scatter_as_expected():
    rng = np.random.default_rng(0)
    documents, states, correlation = 200, 40, 0.3
    squared_b = np.full(documents, float(states**2))
    seen, expected = [], []
    for _ in range(60):
        below_be = rare_shares(rng, documents, states, correlation).astype(float)
        upto_be = np.column_stack([below_be, np.full(documents, states)])
        blocks = Blocks.of_counts(np.diff(upto_be, axis=1, prepend=0), squared_b)
        seen.append(below_be[:, :3].sum(axis=0) / documents / states)
        expected.append(np.sqrt(sum(blocks.share_variances(RARE))))
    np.testing.assert_allclose(np.mean(expected, axis=0), np.std(seen, axis=0), rtol=0.3)
    alike = np.sqrt(sum(Blocks.alike(50).share_variances(RARE)))
    np.testing.assert_allclose(alike, np.sqrt(RARE * (1 - RARE) / 50))


def test_intervals_of_rare_shares_hold_with_few_documents():
    rng = np.random.default_rng(0)
    documents, states = 16, 400
    squared_b = np.full(documents, float(states**2))
    held = []
    for _ in range(150):
        below_be = rare_shares(rng, documents, states, 0.4).astype(float)
        upto_be = np.column_stack([below_be, np.full(documents, states)])
        blocks = Blocks.of_counts(np.diff(upto_be, axis=1, prepend=0), squared_b)
        bars = ErrorBars.pointwise(blocks.freedom, 0.95)
        bounds = bars.share(blocks.per_state(below_be[:, :3]), blocks.share_variances)
        held.append((bounds.low <= RARE) & (bounds.high >= RARE))
    assert np.all(np.mean(held, axis=0) >= 0.88), np.mean(held, axis=0)
