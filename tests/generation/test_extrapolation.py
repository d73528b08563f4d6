"""Entropies of many runs from few, on mixtures whose marginal is known."""

import numpy as np
import pytest
import torch

from tests.generation.mixtures import APART, MIXTURES, dirichlet, entropy
from workflow_scripts.semstat.generation import extrapolation
from workflow_scripts.semstat.generation.extrapolation import describe_marginals, mean_over_prompts
from workflow_scripts.semstat.generation.marginal import measure_marginal, subsets

RUNS = 30


def described(draw, prompts, positions, confidence=0.95, runs=RUNS, seed=0):
    """Marginals of so many independent prompts at so many independent positions."""
    rng, among = np.random.default_rng(seed), subsets(runs)
    each = [
        measure_marginal(torch.from_numpy(draw(rng, prompts, runs)), among)
        for _ in range(positions)
    ]
    of = {name: np.stack([getattr(one, name) for one in each], axis=1) for name in each[0]._fields}
    return describe_marginals(
        of["entropy_d"],
        of["error_d"],
        of["conditional_d"],
        of["subset_dz"],
        of["cross_d"],
        among.sizes,
        confidence,
    )


@pytest.mark.parametrize("name", MIXTURES)
def test_the_extrapolation_is_between_the_bounds_and_near_the_truth(name):
    draw, exact = MIXTURES[name]
    found = described(draw, prompts=8, positions=8)
    plain, between, upper = (part.value.mean() for part in found)
    error = found.extrapolated.value.std(ddof=1) / np.sqrt(8)
    assert plain < between < upper
    assert plain < exact < upper
    assert abs(between - exact) < 0.25 * (exact - plain) + 3 * error
    inside = (found.extrapolated.low < exact) & (exact < found.extrapolated.high)
    assert inside.mean() > 0.8


@pytest.mark.parametrize("name", APART)
def test_what_is_out_of_reach_is_not_given(name):
    draw, exact = APART[name]
    found = described(draw, prompts=4, positions=2)
    assert all(np.isnan(part).all() for part in found.extrapolated)
    assert (found.plain.value < exact).all()


@pytest.mark.parametrize("name", ["nearly equal", "alike", "few tokens", "subjects"])
def test_the_jackknife_knows_the_scatter_over_prompts(name, monkeypatch):
    monkeypatch.setattr(extrapolation, "UNSURE", 0.0)
    draw, _ = MIXTURES[name]
    found = described(draw, prompts=6, positions=150, confidence=0.8).extrapolated
    mean = found.value.mean()
    assert 0.72 < np.mean((found.low < mean) & (mean < found.high)) < 0.88


@pytest.mark.parametrize("name", ["nearly equal", "alike", "few tokens"])
def test_intervals_over_the_runs_of_one_prompt(name):
    """That of the plain entropy is about its own mean, which is too low; the other is wide."""
    draw, exact = MIXTURES[name]
    found = described(draw, prompts=1, positions=150, confidence=0.8)
    plain, mean = found.plain, found.plain.value.mean()
    assert 0.7 < np.mean((plain.low < mean) & (mean < plain.high)) < 0.9
    between = found.extrapolated
    assert np.mean((between.low < exact) & (exact < between.high)) > 0.8


def test_prompts_without_a_value_do_not_count():
    value_dt = np.array([[1.0, 2.0, np.nan, np.nan], [3.0, np.nan, 5.0, np.nan]])
    value, low, high = mean_over_prompts(value_dt, 0.95)
    assert np.array_equal(value, [2, 2, 5, np.nan], equal_nan=True)
    assert low[0] == pytest.approx(2 - 12.706, abs=1e-3) and high[0] == pytest.approx(
        14.706, abs=1e-3
    )
    assert np.isnan([low[2:], high[2:]]).all()


def test_an_infinite_bound_is_no_bound():
    """Runs that can write different tokens leave the fit alone."""
    draw, _ = dirichlet(50, 10)

    def cut(rng, *shape):
        drawn = draw(rng, *shape)
        kept = np.where(drawn > 0.01, drawn, 0)
        return kept / kept.sum(axis=-1, keepdims=True)

    exact = entropy(cut(np.random.default_rng(1), 50_000).mean(axis=0))
    found = described(cut, prompts=4, positions=5)
    assert np.isnan(found.upper).all()
    assert np.isfinite(found.extrapolated).all()
    between = found.extrapolated.value.mean()
    assert found.plain.value.mean() < between and abs(between - exact) < 0.06


def test_two_runs_are_enough_to_say_something():
    draw, exact = dirichlet(1000, 1000)
    found = described(draw, prompts=8, positions=20, runs=2)
    assert found.plain.value.mean() < found.extrapolated.value.mean() < exact + 0.01


def test_positions_where_a_run_has_ended_have_the_plain_entropy_alone():
    plain_dt, subset_dtz = np.full((3, 2), 4.0), np.full((3, 2, 4), 3.9)
    subset_dtz[1, 1] = np.nan
    sizes = subsets(RUNS).sizes
    found = describe_marginals(
        plain_dt, plain_dt / 10, plain_dt, subset_dtz, plain_dt + 0.1, sizes, 0.95
    )
    assert np.array_equal(np.isnan(found.extrapolated.value), [False, True])
    assert np.isfinite(found.plain.value).all() and np.isfinite(found.upper.value).all()
