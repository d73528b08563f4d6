"""Peaks and crossings of a sweep, and the intervals of numbers over prompts."""

import numpy as np
import pytest
from scipy.stats import t

from workflow_scripts.semstat.criticality.crossovers import falls_through_zero, peak, steepest
from workflow_scripts.semstat.criticality.estimates import draw_prompts, interval_over_prompts

TEMPERATURES = np.array([0, 0.2, 0.4, 0.5, 0.7, 0.8, 0.9, 1.0, 1.3, 2.0])


def test_a_parabola_has_its_top_where_it_is_whatever_the_grid():
    for top in (0.33, 0.5, 0.77, 1.2):
        value = 3 - 2 * (TEMPERATURES - top) ** 2
        assert peak(value[None], TEMPERATURES)[0] == pytest.approx(top)


def test_no_peak_at_the_ends_and_none_of_what_is_not_known():
    assert np.isnan(peak(TEMPERATURES[None], TEMPERATURES))
    assert np.isnan(peak(-TEMPERATURES[None], TEMPERATURES))
    assert np.isnan(peak(np.full((1, 10), np.nan), TEMPERATURES))
    value = 3 - 2 * (TEMPERATURES - 0.5) ** 2
    value[0] = np.nan
    assert peak(value[None], TEMPERATURES)[0] == pytest.approx(0.5)


def test_a_line_falls_where_it_falls():
    for zero in (0.1, 0.44, 0.95, 1.9):
        assert falls_through_zero(zero - TEMPERATURES[None], TEMPERATURES)[0] == pytest.approx(zero)


def test_what_only_rises_or_stays_on_one_side_does_not_fall():
    assert np.isnan(falls_through_zero(TEMPERATURES[None] - 0.5, TEMPERATURES))
    assert np.isnan(falls_through_zero(np.ones((1, 10)), TEMPERATURES))
    assert np.isnan(falls_through_zero(-np.ones((1, 10)), TEMPERATURES))


def test_of_several_falls_the_one_that_parts_best():
    value = np.array([1.0, 1, 1, 0.8, 0.5, -0.5, -0.8, 0.01, -0.01, -0.02])
    assert falls_through_zero(value[None], TEMPERATURES)[0] == pytest.approx(0.75)


def test_places_without_a_value_are_left_out():
    value = 0.6 - TEMPERATURES
    value[[0, 9]] = np.nan
    assert falls_through_zero(value[None], TEMPERATURES)[0] == pytest.approx(0.6)


def test_a_step_is_steepest_in_its_middle():
    fine = np.linspace(0.1, 2, 39)
    for middle in (0.5, 0.83, 1.2):
        value = np.tanh((fine - middle) / 0.2)
        assert steepest(np.array([value, -value]), fine) == pytest.approx([middle] * 2, abs=0.01)
    assert np.isnan(steepest(np.exp(fine)[None], fine))


def test_draws_are_of_prompts_and_the_first_is_all():
    weight = draw_prompts(7, 50, np.random.default_rng(0))
    np.testing.assert_allclose(weight.sum(axis=1), 1)
    np.testing.assert_allclose(weight[0], 1 / 7)
    np.testing.assert_allclose(weight * 7, np.round(weight * 7), atol=1e-12)


@pytest.mark.parametrize("prompts", [6, 10])
def test_the_interval_of_a_mean_is_nearly_students(prompts):
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(20):
        value = rng.normal(size=prompts)
        drawn = draw_prompts(prompts, 2000, rng) @ value
        found = interval_over_prompts(drawn, prompts, 0.95)
        half = t.ppf(0.975, prompts - 1) * value.std(ddof=1) / np.sqrt(prompts)
        ratios.append((found.high - found.low) / (2 * half))
        assert found.value == pytest.approx(value.mean())
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("prompts", [6, 10])
def test_intervals_of_a_mean_hold_the_truth_as_often_as_they_say(prompts):
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(600):
        value = rng.normal(size=prompts)
        found = interval_over_prompts(draw_prompts(prompts, 400, rng) @ value, prompts, 0.95)
        held += found.low <= 0 <= found.high
    assert 0.92 < held / 600 < 0.98


def test_a_number_that_few_draws_have_has_no_interval():
    value = np.array([0.7, *[np.nan] * 6, *[0.6] * 4])
    found = interval_over_prompts(value, 5, 0.95)
    assert found.value == 0.7 and np.isnan([found.low, found.high]).all()
    assert np.isnan(interval_over_prompts(np.array([np.nan, 1, 1]), 5, 0.95).value)


def test_a_number_that_one_prompt_alone_tells_of_has_no_interval():
    """A draw has the same ratio, or none."""
    weight = draw_prompts(6, 400, np.random.default_rng(0))
    with np.errstate(invalid="ignore"):
        rate = (weight @ [0, 0, 1, 0, 0, 0]) / (weight @ [0, 0, 28, 0, 0, 0])
    assert np.isnan(rate).mean() < 0.5
    found = interval_over_prompts(rate, 6, 0.95)
    assert found.value == pytest.approx(1 / 28) and np.isnan([found.low, found.high]).all()
