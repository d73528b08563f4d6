"""Measures of one continuation against their formulas."""

import numpy as np
import pytest

from workflow_scripts.semstat.decoding.measures import energy_fluctuation


def test_the_fluctuation_of_the_energy():
    rng = np.random.default_rng(0)
    hidden, surprisal = rng.standard_normal((2, 9, 5)), rng.random((2, 4))
    for found, h, v in zip(energy_fluctuation(hidden, surprisal), hidden, surprisal, strict=True):
        energies = [np.log(0.5 * np.sum((h[t] - h[t - 1]) ** 2)) + v[t - 5] for t in range(5, 9)]
        assert found == pytest.approx(np.std(energies, ddof=1) / abs(np.mean(energies)))
