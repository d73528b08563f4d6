"""The systems that judge the statistics are exact: volume, density, slope, quantiles and means."""

import numpy as np
import pytest

from benchmarks.roles import by_role, named
from benchmarks.systems import as_system, magnitudes, mean_energy, mixture, on, with_zeros
from workflow_scripts.semstat.statistics.closed_forms import all_systems, beta, uniform, with_atom

SYSTEMS = [system for role in ("set on", "judge") for system in by_role()[role]]
MAGNITUDE = np.geomspace(3e-6, 0.999, 60)
ENERGY = np.concatenate([-MAGNITUDE[::-1], MAGNITUDE])
SHARES = np.random.default_rng(0).random(2000)


@pytest.fixture(params=SYSTEMS, ids=lambda system: system.name)
def system(request):
    return request.param


def smooth_energies(system):
    """Energies at which states lie and no part begins or ends within a step, and the steps."""
    step = 1e-5 * np.abs(ENERGY) * (1 - np.abs(ENERGY))
    ends = np.array([*system.support, 0.0])
    inside = np.abs(ENERGY[:, None] - ends).min(axis=1) > 3 * step
    inside &= system.density(ENERGY) > 1e-3
    return ENERGY[inside], step[inside]


def test_density_is_the_derivative_of_volume(system):
    at, step = smooth_energies(system)
    numeric = (system.volume(at + step) - system.volume(at - step)) / (2 * step)
    np.testing.assert_allclose(system.density(at), numeric, rtol=1e-5, atol=3e-4)


def test_slope_is_the_derivative_of_the_logarithm_of_density(system):
    at, step = smooth_energies(system)
    numeric = np.log(system.density(at + step) / system.density(at - step)) / (2 * step)
    scale = 1 / np.abs(at) + 1 / (1 - np.abs(at))
    np.testing.assert_allclose(system.slope(at) / scale, numeric / scale, rtol=1e-4, atol=1e-4)


def test_quantiles_invert_the_volume(system):
    energy = system.quantile(SHARES)
    assert np.all(np.abs(energy) <= 1)
    apart = np.abs(system.volume(energy) - SHARES)
    one_bit = system.density(np.clip(energy, -1, np.nextafter(1, 0))) * 2**-52
    assert np.all(apart[energy != 0] <= 1e-12 + 4 * one_bit[energy != 0])
    at, _ = smooth_energies(system)
    np.testing.assert_allclose(system.quantile(system.volume(at)), at, rtol=1e-7, atol=1e-9)


def test_volume_runs_from_0_to_1_and_jumps_by_the_atom(system):
    np.testing.assert_allclose(system.volume(np.array([-1.0, 1.0])), [0, 1], atol=1e-5)
    below, at = system.volume(np.array([-1e-300, 0.0]))
    assert at - below == pytest.approx(system.atom, abs=1e-12)


def test_the_mean_energy_is_that_of_the_quantiles(system):
    even = system.quantile((np.arange(100_000) + 0.5) / 100_000)
    assert mean_energy(system) == pytest.approx(even.mean(), abs=1e-5)


def test_mean_energies_of_the_textbooks():
    assert mean_energy(as_system(beta(2, 5))) == pytest.approx(2 * 2 / 7 - 1)
    assert mean_energy(as_system(uniform())) == pytest.approx(0, abs=1e-12)


def test_constants_are_set_on_other_systems_than_those_that_judge():
    names = {role: {system.name for system in systems} for role, systems in by_role().items()}
    assert len(names["judge"]) >= 8
    assert len(names["set on"]) + len(names["judge"]) >= 14
    assert not names["judge"] & (names["set on"] | names["textbook"])
    assert len(names["textbook"]) == len(all_systems())
    assert all(named(name)[0] == role for role, of_role in names.items() for name in of_role)


def test_a_part_is_where_it_is_put():
    system = mixture("two", (1, on(-0.5, -0.25, uniform())), (3, magnitudes(1, 1e-3, 1, uniform())))
    np.testing.assert_allclose(
        system.volume(np.array([-0.5, -0.375, -0.25, 0.0, 1e-3, 10**-1.5, 1.0])),
        [0, 0.125, 0.25, 0.25, 0.25, 0.625, 1],
        atol=1e-12,
    )
    np.testing.assert_allclose(system.density(np.array([-0.3, 0.0, 0.1])), [1, 0, 2.5 / np.log(10)])
    assert system.support == (-0.5, -0.25, 1e-3)
    assert system.weights == (0.25, 0.75)


def test_zeros_are_added_to_a_system():
    system = with_zeros(mixture("layers", (1, uniform()), (1, beta(2, 2))), 0.2)
    assert (system.name, system.atom) == ("layers", 0.2)
    assert as_system(with_atom(uniform(), 0.1)).atom == pytest.approx(0.1)
