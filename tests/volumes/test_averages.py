"""Intervals over pairs of very unequal wells hold what they say, and say no more than they can."""

from __future__ import annotations

import numpy as np
import pytest

from workflow_scripts.semstat.volumes.description import average
from workflow_scripts.semstat.volumes.trace import TARGET, Settings, Trace

SETS, PAIRS, WALKERS = 400, 12, 200


def drawn(spread, rng):
    """Pairs that have each got to E = −½ when ln Ω had fallen by a normal number of nats."""
    nats_r = np.maximum(rng.normal(6 * spread, spread, PAIRS), 0.0)
    deaths_r = np.rint(nats_r * WALKERS).astype(int)
    energy_rz = np.full((PAIRS, max(1, deaths_r.max())), np.nan)
    for energy_z, deaths in zip(energy_rz, deaths_r, strict=True):
        energy_z[:deaths] = 0.5
    nothing = np.zeros((PAIRS, 0))
    ended_r = np.full(PAIRS, TARGET)
    return Trace(
        Settings(WALKERS, 1, 1), energy_rz, nothing, nothing, nothing, np.full(PAIRS, -0.5),
        np.zeros(PAIRS), ended_r,
    )  # fmt: skip


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_of_the_mean_volume(spread):
    rng = np.random.default_rng(1)
    # ln of the mean of exp of a normal number, which is seldom beyond 0.
    mean, typical = -6 * spread + spread**2 / 2, -6 * spread
    lower, upper, told, of_typical = [], [], [], []
    for _ in range(SETS):
        found = average(drawn(spread, rng), np.array([-0.5]), 0.95)
        (_, low, high), (_, typical_low, typical_high) = (
            (float(part[0]) for part in interval) for interval in (found.entropy, found.typical)
        )
        assert np.isnan(high) == (found.effective[0] < PAIRS / 2)
        lower.append(low <= mean)
        told.append(not np.isnan(high))
        upper.append(not high < mean)
        of_typical.append(typical_low <= typical <= typical_high)
    assert np.mean(lower) > 0.96
    assert np.mean(upper) > 0.87, "upper bounds that are wrong and yet given"
    assert 0.91 < np.mean(of_typical) < 0.98
    assert np.mean(told) > 0.95 if spread < 1 else np.mean(told) < (0.75 if spread == 1 else 0.05)
