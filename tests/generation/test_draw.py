"""Draws of the next token as the exact inverse of the cumulative distribution."""

import numpy as np
import pytest
import torch

from tests.generation.plain_runs import inverse
from workflow_scripts.semstat.generation.sampling import draw

BELOW_ONE = np.nextafter(1.0, 0.0)


def exact(seed, texts, vocabulary):
    """Probabilities that add up without rounding: multiples of 2^-20, many of them 0."""
    rng = np.random.default_rng(seed)
    p = np.zeros((texts, vocabulary))
    for row in p:
        row[:] = np.bincount(
            rng.choice(vocabulary, size=2**20, p=rng.dirichlet(np.full(vocabulary, 0.05))),
            minlength=vocabulary,
        )
    return p / 2**20


@pytest.mark.parametrize("vocabulary", [1, 2, 255, 256, 257, 511, 512, 1000])
def test_the_inverse_of_the_cumulative_distribution_is_exact(vocabulary):
    p_xv = exact(vocabulary, 4, vocabulary)
    cumulative_xv = p_xv.cumsum(axis=1)
    for p_v, cumulative_v in zip(p_xv, cumulative_xv, strict=True):
        edges = np.concatenate([[0.0], cumulative_v])
        u = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 1)])
        u = np.append(np.unique(u[(u >= 0) & (u < 1)]), BELOW_ONE)
        found = draw(torch.from_numpy(p_v).float().expand(len(u), -1), torch.from_numpy(u))
        assert found.tolist() == [inverse(p_v, one) for one in u]
        assert (p_v[found] > 0).all()


def test_a_factor_changes_nothing():
    p_xv = torch.from_numpy(exact(0, 2, 300)).float().repeat(100, 1)
    uniform_x = torch.rand(200, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(draw(p_xv, uniform_x), draw(p_xv / 1024, uniform_x))


@pytest.mark.parametrize("seed", range(3))
def test_no_token_of_probability_0_whatever_the_rounding(seed):
    """Probabilities over 40 powers of ten, most tokens 0, and numbers at the sums' very edges."""
    rng = np.random.default_rng(seed)
    p_xv = np.exp(rng.uniform(-90, 0, size=(50, 700))) * (rng.random((50, 700)) < 0.02)
    p_xv[:, 0] += 1e-3
    p_xv = torch.from_numpy(p_xv / p_xv.sum(axis=1, keepdims=True)).float()
    edges_xv = p_xv.double().cumsum(dim=1)
    for u_x in (*edges_xv.T[:: 7 + seed], edges_xv[:, -1], torch.zeros(50), torch.ones(50)):
        u_x = u_x.double().clamp(max=BELOW_ONE)
        token_x = draw(p_xv, u_x)
        assert (p_xv.gather(1, token_x[:, None]) > 0).all()


def test_tokens_come_as_often_as_they_are_probable():
    """Chi-square of 200,000 draws over 300 tokens, more than one stretch."""
    p_v = torch.softmax(2 * torch.randn(300, generator=torch.Generator().manual_seed(0)), 0)
    uniform = torch.from_numpy(np.random.default_rng(0).random(200_000))
    found = np.bincount(draw(p_v.expand(len(uniform), -1), uniform), minlength=300)
    expected = p_v.double().numpy() * len(uniform)
    often = expected > 5
    chi_squared = np.sum((found - expected)[often] ** 2 / expected[often])
    assert often.sum() > 200
    assert abs(chi_squared - often.sum()) < 4 * np.sqrt(2 * often.sum())
