"""Autocorrelation of tokens: independent ones, a chain of two states, loops."""

import numpy as np
import pytest

from workflow_scripts.semstat.criticality.correlation import (
    background,
    between,
    integrated_time,
    matches,
)


def time_of(token_drt, lags):
    kinds = token_drt.max() + 1
    share = np.array([np.bincount(t.ravel(), minlength=kinds) / t.size for t in token_drt])
    match = np.array([matches(token_rt, lags) for token_rt in token_drt])
    weight = np.full((1, len(token_drt)), 1 / len(token_drt))
    chance = between(background(share), weight)
    return integrated_time(weight @ match, chance)[0]


def test_matches_are_counted_as_they_are():
    token_rt = np.array([[1, 2, 1, 2, 3], [4, 4, 4, 5, 5]])
    expected = [
        np.mean([[a == b for a, b in zip(t, t[k:], strict=False)] for t in token_rt.tolist()])
        for k in (1, 2, 3)
    ]
    np.testing.assert_allclose(matches(token_rt, 3), expected)


def test_background_is_over_pairs_of_different_prompts():
    share = np.array([[1.0, 0, 0], [0, 1.0, 0], [0.5, 0.5, 0]])
    pairs = background(share)
    chance = between(pairs, np.array([[1 / 3] * 3, [0.5, 0.5, 0], [1 / 3, 2 / 3, 0], [1, 0, 0]]))
    np.testing.assert_allclose(chance[:3], [(0 + 0.5 + 0.5) / 3, 0, 0])
    assert np.isnan(chance[3])


def test_independent_tokens_count_one_by_one():
    tokens = np.random.default_rng(0).choice(50, size=(20, 5, 1000))
    assert time_of(tokens, 250) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("stay", [0.5, 0.9])
def test_a_chain_that_stays_has_its_closed_form(stay):
    """A token stays with a chance, or is drawn anew: ρ(k) = stay^k."""
    rng = np.random.default_rng(1)
    fresh = rng.integers(0, 30, size=(20, 5, 1000))
    tokens = fresh.copy()
    kept = rng.random(tokens.shape) < stay
    for t in range(1, tokens.shape[2]):
        tokens[:, :, t] = np.where(kept[:, :, t], tokens[:, :, t - 1], fresh[:, :, t])
    assert time_of(tokens, 250) == pytest.approx((1 + stay) / (1 - stay), rel=0.08)


def test_loops_have_a_time_of_the_order_of_the_text():
    tokens = (np.arange(400) % 4)[None, None] + 4 * np.arange(10)[:, None, None]
    assert time_of(tokens, 100) == pytest.approx(1 + 2 * 25, rel=1e-6)
    assert np.isnan(time_of(np.zeros((3, 1, 100), dtype=np.int64), 25))
