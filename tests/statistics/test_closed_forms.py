"""The closed forms agree with themselves: volume, density, slope, quantiles and samples."""

import numpy as np
import pytest

from workflow_scripts.semstat.statistics.closed_forms import (
    all_systems,
    beta,
    convex_dip,
    oscillators,
    two_state,
    uniform,
    with_atom,
)

INSIDE = np.array([-0.93, -0.61, -0.2, -0.013, 0.04, 0.33, 0.72, 0.96])
STEP = 1e-6


@pytest.fixture(params=all_systems(), ids=lambda system: system.name)
def system(request):
    return request.param


def test_density_is_the_derivative_of_volume(system):
    numeric = (system.volume(INSIDE + STEP) - system.volume(INSIDE - STEP)) / (2 * STEP)
    np.testing.assert_allclose(system.density(INSIDE), numeric, rtol=1e-5)


def test_slope_is_the_derivative_of_the_logarithm_of_density(system):
    numeric = np.log(system.density(INSIDE + STEP) / system.density(INSIDE - STEP)) / (2 * STEP)
    np.testing.assert_allclose(system.slope(INSIDE), numeric, rtol=1e-5, atol=1e-5)


def test_volume_runs_from_0_to_1_and_quantiles_invert_it(system):
    ends = system.volume(np.array([-1.0, 1.0]))
    np.testing.assert_allclose(ends, [0, 1], atol=1e-12)
    np.testing.assert_allclose(system.quantile(system.volume(INSIDE)), INSIDE, atol=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_samples_are_distributed_as_the_system_is(system, correlation):
    energy, document = system.sample(np.random.default_rng(0), 20_000, 5, correlation)
    assert len(energy) == len(document) == 100_000
    found = np.mean(energy[:, None] <= INSIDE, axis=0)
    np.testing.assert_allclose(found, system.volume(INSIDE), atol=0.01)


def test_temperatures_of_the_textbooks():
    np.testing.assert_allclose(uniform().temperature(INSIDE), INSIDE + 1)
    np.testing.assert_allclose(oscillators(10).temperature(INSIDE), 2 * (INSIDE + 1) / 10)
    assert np.all(np.sign(two_state().slope(INSIDE)) == -np.sign(INSIDE))


def test_the_atom_is_in_the_volume_and_not_in_the_density():
    whole = with_atom(uniform(), 0.1)
    np.testing.assert_allclose(whole.density(INSIDE), 0.45)
    jump = whole.volume(np.array([0.0])) - whole.volume(np.array([-1e-12]))
    assert jump[0] == pytest.approx(0.1)
    assert np.mean(whole.quantile((np.arange(1000) + 0.5) / 1000) == 0) == pytest.approx(0.1)


def test_stiffness_turns_a_convex_dip_concave():
    grid = np.linspace(-0.9, 0.9, 181)
    for stiffness, convex in ((0.0, True), (30.0, False)):
        slope = convex_dip(1.5, 0.55, stiffness=stiffness).slope(grid)
        assert np.any(np.diff(slope) > 0) == convex


def test_a_beta_below_1_diverges_at_its_edge():
    edge = np.array([-1 + 1e-9])
    assert beta(0.5, 0.5).density(edge)[0] > 1e3
