"""Intervals and bands from sources of error."""

import numpy as np
import pytest

from workflow_scripts.semstat.statistics.block_errors import ErrorBars, Estimate


def test_band_of_one_energy_is_its_interval_and_of_many_is_wider():
    rng = np.random.default_rng(0)
    error_eu = rng.standard_normal((200, 64))
    estimate = Estimate(np.zeros(200), error_eu)
    one = ErrorBars.drawn(63, 64, 20_000, 0.95, np.arange(200) == 5, rng)(estimate)
    many = ErrorBars.drawn(63, 64, 20_000, 0.95, np.ones(200, bool), rng)(estimate)
    assert one.band_high[5] == pytest.approx(one.high[5], rel=0.04)
    assert np.isnan(one.band_high[6])
    # 200 independent deviations: the largest is below c with probability (1 − 2 Φ(−c))^200 = 0.95
    assert np.median(many.band_high / many.high) == pytest.approx(3.66 * 1.05 / 2.0, rel=0.05)


def test_two_degrees_of_freedom_give_the_interval_of_student():
    estimate = Estimate(np.zeros(1), np.ones((1, 3)))
    bars = ErrorBars.drawn(2, 3, 10, 0.95, np.ones(1, bool), np.random.default_rng(0))
    assert bars(estimate).high[0] == pytest.approx(4.303 * np.sqrt(3), rel=1e-3)
