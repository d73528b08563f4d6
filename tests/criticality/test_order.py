"""Order parameters: against all signs there are, independent tokens, and loops."""

import itertools

import numpy as np
import pytest

from workflow_scripts.semstat.criticality.order import binder, central_moments, magnetisation


def shares(token_drt, kinds):
    return np.array(
        [[np.bincount(t, minlength=kinds) / len(t) for t in token_rt] for token_rt in token_drt]
    )


def test_moments_are_those_over_all_signs():
    share = shares(np.random.default_rng(0).integers(0, 5, size=(3, 2, 12)), 5)
    spins = magnetisation(share)
    mean_of_others = np.array(
        [share[[e for e in range(3) if e != d]].mean((0, 1)) for d in range(3)]
    )
    delta = share - mean_of_others[:, None]
    m = np.array([delta @ np.array(signs) for signs in itertools.product((-1, 1), repeat=5)])
    np.testing.assert_allclose(spins.second, (m**2).mean(axis=0))
    np.testing.assert_allclose(spins.fourth, (m**4).mean(axis=0))


def test_independent_tokens_have_the_susceptibility_of_one_token_and_no_cumulant():
    rng = np.random.default_rng(1)
    p = 1 / np.arange(1, 301)
    p /= p.sum()
    length = 400
    tokens = rng.choice(300, size=(40, 5, length), p=p)
    spins = magnetisation(shares(tokens, 300))
    # One text of a prompt against 39 × 5 others: they add their own noise.
    expected = (1 - np.sum(p**2)) * (1 + 1 / (39 * 5))
    assert length * spins.second.mean() == pytest.approx(expected, rel=0.05)
    assert abs(binder(spins.second.mean(), spins.fourth.mean())) < 0.12


@pytest.mark.parametrize("period", [1, 2, 5])
def test_loops_of_own_tokens_have_two_thirds_over_their_period(period):
    kinds = 60 * period
    tokens = np.arange(kinds).reshape(60, 1, period).repeat(20, axis=2)
    spins = magnetisation(shares(tokens, kinds))
    cumulant = binder(spins.second.mean(), spins.fourth.mean())
    # A sixtieth of it is the other prompts' noise.
    assert cumulant == pytest.approx(2 / (3 * period), rel=0.05)


def test_some_texts_that_loop_among_others_make_it_negative():
    rng = np.random.default_rng(2)
    tokens = rng.integers(0, 1000, size=(40, 1, 200))
    tokens[:2] = np.array([7, 9])[:, None, None]
    spins = magnetisation(shares(tokens, 1000))
    assert binder(spins.second.mean(), spins.fourth.mean()) < -3


def test_central_moments_about_any_number():
    x = np.random.default_rng(3).gamma(2.0, size=1000)
    raw = [np.array(((x - 0.7) ** power).mean()) for power in (1, 2, 3, 4)]
    second, fourth = central_moments(*raw)
    assert second == pytest.approx(x.var())
    assert fourth == pytest.approx(((x - x.mean()) ** 4).mean())


def test_a_normal_law_has_no_cumulant_two_values_have_two_thirds_and_one_has_none():
    assert binder(np.array(2.0), np.array(12.0)) == 0
    assert binder(np.array(1.0), np.array(1.0)) == pytest.approx(2 / 3)
    assert np.isnan(binder(np.array(0.0), np.array(0.0)))
