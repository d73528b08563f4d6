"""Canonical averages against closed forms, without noise and in units of their error bars."""

import numpy as np
import pytest

from workflow_scripts.semstat.statistics.closed_forms import (
    ClosedForm,
    beta,
    convex_dip,
    log_uniform,
    oscillators,
    two_state,
    uniform,
    with_atom,
)
from workflow_scripts.semstat.thermodynamics.canonical import Canonical, reweight
from workflow_scripts.semstat.thermodynamics.energy_grid import (
    BLOCKS,
    StateCounts,
    count_states,
    energy_edges,
)

EDGES = energy_edges()
BETAS = np.array([-5.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 5.0])


def exact_averages(
    system: ClosedForm, betas: np.ndarray = BETAS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ln Z, ⟨E⟩ and C, as averages over evenly spaced quantiles."""
    energy = system.quantile((np.arange(200_000) + 0.5) / 200_000)
    weight = np.exp(-betas[:, None] * energy)
    z = weight.mean(axis=1)
    mean = (weight * energy).mean(axis=1) / z
    square = (weight * (energy - mean[:, None]) ** 2).mean(axis=1) / z
    return np.log(z), mean, betas**2 * square


def exact_counts(system: ClosedForm) -> StateCounts:
    """Counts without noise: the same in every block."""
    zero = np.searchsorted(EDGES, 0.0)
    count_e = np.rint(np.diff(system.volume(EDGES), prepend=0.0) * 1e12).astype(np.int64)
    atom = system.volume(np.zeros(1)) - system.volume(np.full(1, -1e-300))
    at_zero_b = np.full(BLOCKS, np.rint(atom[0] * 1e12), dtype=np.int64)
    assert np.all(count_e[zero] >= at_zero_b)
    states_b = np.full(BLOCKS, count_e.sum())
    return StateCounts(np.tile(count_e, (BLOCKS, 1)), at_zero_b, states_b)


def averages(system: ClosedForm, counts: StateCounts, betas=BETAS) -> Canonical:
    with np.errstate(divide="ignore", invalid="ignore"):
        surface_entropy = np.log(system.density(EDGES))
    surface_entropy[~np.isfinite(surface_entropy)] = np.nan
    return reweight(counts, EDGES, surface_entropy, betas, np.random.default_rng(0))


@pytest.mark.parametrize(
    "system",
    [uniform(), beta(2, 5), oscillators(10), with_atom(uniform(), 0.1), two_state(), convex_dip()],
    ids=lambda system: system.name,
)
def test_without_noise_averages_are_exact(system):
    log_z, mean, capacity = exact_averages(system)
    canonical = averages(system, exact_counts(system))
    np.testing.assert_allclose(canonical.log_partition.value, log_z, atol=2e-4)
    np.testing.assert_allclose(canonical.mean_energy.value, mean, atol=2e-4)
    np.testing.assert_allclose(canonical.heat_capacity.value, capacity, rtol=2e-3, atol=1e-12)


def test_the_uniform_system_has_its_textbook_curves():
    canonical = averages(uniform(), exact_counts(uniform()), betas=np.array([0.5, 20.0, 300.0]))
    b = canonical.inverse_temperature
    np.testing.assert_allclose(
        canonical.log_partition.value, b + np.log(-np.expm1(-2 * b) / (2 * b)), atol=1e-4
    )
    np.testing.assert_allclose(canonical.mean_energy.value, 1 / b - 1 / np.tanh(b), atol=1e-4)
    np.testing.assert_allclose(canonical.heat_capacity.value, 1 - (b / np.sinh(b)) ** 2, rtol=1e-3)


@pytest.mark.parametrize(
    "system", [uniform(), beta(2, 5), log_uniform(), two_state()], ids=lambda s: s.name
)
def test_errors_are_of_the_size_of_their_error_bars(system):
    exact = exact_averages(system)
    at = BETAS != 0
    scores = []
    for seed in range(20):
        energy_s, doc_s = system.sample(np.random.default_rng(seed), 300, 20, 0.1)
        canonical = averages(system, count_states(energy_s, doc_s, EDGES))
        for curve, truth in zip(
            (canonical.log_partition, canonical.mean_energy, canonical.heat_capacity),
            exact,
            strict=True,
        ):
            width = curve.high[at] - curve.low[at]
            scores.append(4 * (curve.value - truth)[at] / width)
    scores = np.concatenate(scores)
    assert np.isfinite(scores).mean() > 0.6
    scores = scores[np.isfinite(scores)]
    assert 0.6 < np.sqrt(np.mean(scores**2)) < 1.4


def test_entropy_is_the_legendre_transform_and_at_most_zero():
    canonical = averages(beta(2, 5), exact_counts(beta(2, 5)))
    np.testing.assert_allclose(
        canonical.entropy.value,
        canonical.log_partition.value + BETAS * canonical.mean_energy.value,
    )
    assert np.all(canonical.entropy.value <= 1e-12)
    assert np.all(np.diff(canonical.mean_energy.value) < 0)


def test_bounds_end_where_few_states_carry_the_weight():
    energy_s, doc_s = uniform().sample(np.random.default_rng(0), 100, 10)
    counts = count_states(energy_s, doc_s, EDGES)
    canonical = averages(uniform(), counts, betas=np.array([0.0, 1e4]))
    assert canonical.effective_states[0] > 500
    assert canonical.effective_states[1] < 2
    assert np.isfinite([part[0] for part in canonical.mean_energy[:3]]).all()
    assert np.isnan([part[1] for part in canonical.mean_energy]).all()


def test_near_their_limit_averages_hold_the_truth():
    """Where 20 effective states carry the weight, more of it may lie beyond the lowest one."""
    betas = np.geomspace(1, 30, 18)
    held = []
    for system in (two_state(), oscillators(10), beta(2, 5)):
        exact = exact_averages(system, betas)
        for seed in range(80):
            sample = system.sample(np.random.default_rng(seed), 64, 64, 0.4 * (seed % 2))
            canonical = averages(system, count_states(*sample, EDGES), betas)
            given_q = np.isfinite(canonical.log_partition.low)
            last = np.flatnonzero(given_q)[-1]
            assert last < len(betas) - 1
            curves = (canonical.log_partition, canonical.mean_energy, canonical.heat_capacity)
            for curve, exact_q in zip(curves, exact, strict=True):
                held.append(curve.low[last] <= exact_q[last] <= curve.high[last])
    assert np.mean(held) >= 0.9


def test_energies_of_which_no_state_is_seen_do_not_overflow():
    """States within 10⁻³ of 0 at β = ±1,000: e^{−βE} of the empty cells would reach e^1000."""
    energy_s, doc_s = uniform().sample(np.random.default_rng(0), 100, 10)
    counts = count_states(energy_s / 1000, doc_s, EDGES)
    betas = np.array([-1000.0, 0.0, 1000.0])
    canonical = averages(uniform(), counts, betas)
    for t, beta_ in enumerate(betas):
        weight_s = np.exp(-beta_ * energy_s / 1000)
        mean = np.sum(weight_s * energy_s / 1000) / weight_s.sum()
        assert canonical.log_partition.value[t] == pytest.approx(np.log(weight_s.mean()), abs=0.02)
        assert canonical.mean_energy.value[t] == pytest.approx(mean, abs=2e-5)
    assert np.all(canonical.effective_states > 400)


def test_no_states_are_refused():
    nothing_b = np.zeros(BLOCKS, np.int64)
    empty = StateCounts(np.zeros((BLOCKS, len(EDGES)), np.int64), nothing_b, nothing_b)
    with pytest.raises(ValueError, match="no states"):
        averages(uniform(), empty)
