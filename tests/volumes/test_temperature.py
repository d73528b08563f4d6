"""T of a volume against exact derivatives of S."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import special, stats

from tests.volumes.systems import cap, height, trace
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges
from workflow_scripts.semstat.volumes.entropy import Entropy, entropy
from workflow_scripts.semstat.volumes.gaussian import Gaussian
from workflow_scripts.semstat.volumes.sphere import Sphere
from workflow_scripts.semstat.volumes.temperature import (
    average_temperature,
    log_slope,
    temperature_of_each,
)

torch.set_num_threads(1)
EDGES = energy_edges()
SETTINGS = {"walkers": 64, "culled": 32, "moves": 8}
DIMENSIONS, STEEPNESS = 20, 16


def at(energies):
    return [int(np.argmin(abs(EDGES - energy))) for energy in energies]


def cap_slope(energy_e):
    """ln dS/dE of a spherical cap."""
    density_e = (DIMENSIONS - 3) / 2 * np.log1p(-(energy_e**2))
    return density_e - special.betaln(0.5, (DIMENSIONS - 1) / 2) - cap(DIMENSIONS, energy_e)


def normal_slope(energy_e):
    """The same of a linear H under a normal distribution."""
    z_e = STEEPNESS * energy_e
    return np.log(STEEPNESS) + stats.norm.logpdf(z_e) - stats.norm.logcdf(z_e)


@pytest.fixture(scope="module")
def caps():
    return trace(Sphere(DIMENSIONS, torch.float64), height, 48, target=-0.8, **SETTINGS)


def is_calibrated(found, exact_e, cells):
    """In 48 runs: no bias beyond half an error, a spread of about 1, and 95% intervals."""
    for cell in cells:
        z_r = ((found.value - exact_e) / found.stderr)[:, cell]
        assert np.isfinite(z_r).all(), EDGES[cell]
        assert abs(z_r.mean()) < 0.55 and 0.65 < z_r.std(ddof=1) < 1.3, EDGES[cell]
        assert (abs(z_r) < 1.96).mean() > 0.85, EDGES[cell]


def test_of_a_cap(caps):
    with np.errstate(divide="ignore", invalid="ignore"):
        exact_e = cap_slope(EDGES)
    slope = log_slope(caps, EDGES)
    is_calibrated(slope, exact_e, at([0.1, -0.1, -0.3, -0.5, -0.7]))
    assert np.isnan(slope.value[:, EDGES < -0.81]).all(), "beyond the end of a run"
    assert np.isnan(slope.value[:, EDGES == 0]).all()
    each = temperature_of_each(slope, 0.95)
    (cell,) = at([-0.5])
    inside_r = (each.low <= np.exp(-exact_e)) & (np.exp(-exact_e) <= each.high)
    assert inside_r[:, cell].mean() > 0.85
    np.testing.assert_allclose(each.value[:, cell], np.exp(-slope.value[:, cell]))


def test_of_a_linear_h_under_a_normal_distribution():
    found = trace(
        Gaussian(2, torch.float64),
        lambda q_sn, run_s: q_sn[:, 0].double() / STEEPNESS,
        48,
        target=-0.9,
        **SETTINGS,
    )
    cells = at([0.05, -0.1, -0.3, -0.5, -0.8])
    is_calibrated(log_slope(found, EDGES), normal_slope(EDGES), cells)
    assert entropy(found, [-0.9]).value.mean() < -90


def test_averages_are_slopes_of_the_averaged_entropies(caps):
    """Pairs of different wells, exactly known: T is the inverse slope of what it belongs to."""
    shift_r = np.array([0.0, 0.05, 0.1, 0.2])
    energy_e = np.linspace(-0.5, -0.1, 2001)
    parts = [cap(DIMENSIONS, energy_e - shift) for shift in shift_r]
    slope = [cap_slope(energy_e - shift) for shift in shift_r]
    found = average_temperature(
        Entropy(np.array(slope), np.zeros((4, len(energy_e)))), np.array(parts), 0.95
    )
    averages = {
        "temperature": np.log(np.exp(parts).mean(axis=0)),
        "typical_temperature": np.mean(parts, axis=0),
    }
    for name, entropy_e in averages.items():
        value_e, low_e, high_e = found[name]
        numeric_e = 1 / np.gradient(entropy_e, energy_e)
        np.testing.assert_allclose(value_e[1:-1], numeric_e[1:-1], rtol=1e-4)
        assert ((low_e < value_e) & (value_e < high_e)).all()
    assert not np.allclose(found["temperature"].value, found["typical_temperature"].value, rtol=0.1)


def test_intervals_over_pairs_hold_the_temperature(caps):
    """Runs of one system, eight together as if they were pairs."""
    cells = at([-0.1, -0.3, -0.5, -0.7])
    slope, value_re = log_slope(caps, EDGES), entropy(caps, EDGES).value
    exact_e = np.exp(-cap_slope(EDGES[cells]))
    held = {"temperature": [], "typical_temperature": []}
    for group in np.split(np.arange(48), 6):
        part = Entropy(*(of[group] for of in slope))
        for name, (_, low_e, high_e) in average_temperature(part, value_re[group], 0.95).items():
            held[name] += list((low_e[cells] <= exact_e) & (exact_e <= high_e[cells]))
    for inside in held.values():
        assert np.mean(inside) > 0.8


def test_a_run_without_two_cells_of_deaths_has_none():
    found = trace(Sphere(3), height, 2, walkers=8, culled=4, moves=1, depth=0.0)
    assert np.isnan(log_slope(found, EDGES).value).all()
    alone = average_temperature(log_slope(found, EDGES), entropy(found, EDGES).value, 0.95)
    assert np.isnan(alone["temperature"].value).all()
