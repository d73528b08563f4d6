"""Curves against closed forms in units of their error bars, and what cannot be estimated."""

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
from workflow_scripts.semstat.thermodynamics.curves import Curves, estimate_curves
from workflow_scripts.semstat.thermodynamics.energy_grid import (
    BLOCKS,
    StateCounts,
    count_states,
    energy_edges,
)
from workflow_scripts.semstat.thermodynamics.tables import CURVE_QUANTITIES

EDGES = energy_edges()
SYSTEMS = [
    uniform(), beta(0.5, 0.5), beta(2, 5), beta(0.3, 3), oscillators(10),
    with_atom(uniform(), 0.1), log_uniform(), two_state(), convex_dip(),
]  # fmt: skip


def sampled(system: ClosedForm, seed: int, documents=400, states=50, correlation=0.0):
    energy_s, doc_s = system.sample(np.random.default_rng(seed), documents, states, correlation)
    return energy_s, count_states(energy_s, doc_s, EDGES)


def curves_of(counts: StateCounts, **options) -> Curves:
    return estimate_curves(counts, EDGES, np.random.default_rng(0), **options)


def counts_of(energy_s, blocks=BLOCKS) -> StateCounts:
    energy_s = np.asarray(energy_s, dtype=float)
    return count_states(energy_s, np.arange(len(energy_s)) % blocks, EDGES)


def well_populated(system: ClosedForm, curves: Curves) -> np.ndarray:
    """Where 20 effective states lie on either side, in steps of about their own number."""
    volume_e = system.volume(EDGES)
    beside_e = np.minimum(volume_e, 1 - volume_e) * curves.effective_states
    at = np.flatnonzero((beside_e >= 20) & (EDGES != 0))
    return at[:: max(1, len(at) // 8)]


@pytest.fixture(scope="module", params=SYSTEMS, ids=lambda system: system.name)
def estimated(request):
    return request.param, [curves_of(sampled(request.param, seed)[1]) for seed in range(2)]


@pytest.mark.parametrize("name", ["entropy", "temperature", "surface_entropy"])
def test_errors_are_of_the_size_of_their_error_bars(estimated, name):
    system, datasets = estimated
    exact = {
        "entropy": lambda e: np.log(system.volume(e)),
        "temperature": system.temperature,
        "surface_entropy": lambda e: np.log(system.density(e)),
    }[name]
    scores = []
    for curves in datasets:
        at = well_populated(system, curves)
        estimate, low, high = getattr(curves, name)[:3]
        scores.append(4 * (estimate[at] - exact(EDGES[at])) / (high - low)[at])
    scores = np.concatenate(scores)
    assert np.all(np.isfinite(scores))
    assert np.max(np.abs(scores)) < 4.5
    assert 0.2 < np.sqrt(np.mean(scores**2)) < 1.7


def test_surface_temperature_is_within_its_interval_or_unbounded(estimated):
    system, datasets = estimated
    missed = []
    for curves in datasets:
        at = well_populated(system, curves)
        _, low, high = curves.surface_temperature[:3]
        with np.errstate(divide="ignore"):
            exact = 1 / system.slope(EDGES[at])
        missed.append((exact < low[at]) | (high[at] < exact))
    assert np.mean(np.concatenate(missed)) < 0.2


def test_negative_surface_temperatures_are_found():
    system = two_state()
    curves = curves_of(sampled(system, 0)[1])
    inside = (np.abs(EDGES) > 0.1) & (np.abs(EDGES) < 0.5)
    low, high = curves.surface_temperature.low[inside], curves.surface_temperature.high[inside]
    assert np.all(high[EDGES[inside] > 0] < 0)
    assert np.all(low[EDGES[inside] < 0] > 0)
    assert np.all(curves.temperature.value[inside] > 0)


def test_volume_is_the_empirical_distribution_function():
    energy_s, counts = sampled(with_atom(log_uniform(), 0.02), 1)
    curves = curves_of(counts)
    exact = np.searchsorted(np.sort(energy_s), EDGES, side="right") / len(energy_s)
    np.testing.assert_allclose(curves.volume.value, exact, rtol=0, atol=1e-12)
    reached = exact > 0
    np.testing.assert_allclose(curves.entropy.value[reached], np.log(exact[reached]), atol=1e-12)
    assert np.all(curves.volume.low <= exact)
    assert np.all(exact <= curves.volume.high)
    assert curves.volume.value[-1] == curves.volume.low[-1] == curves.volume.high[-1] == 1


def test_temperature_is_volume_over_density_where_states_are():
    curves = curves_of(sampled(beta(2, 5), 2)[1])
    reached = ~curves.extrapolated
    ratio = (curves.volume.value / curves.density.value)[reached]
    np.testing.assert_allclose(curves.temperature.value[reached], ratio, rtol=1e-12)


@pytest.mark.parametrize("system", [oscillators(4), beta(2, 5), uniform()], ids=lambda s: s.name)
def test_the_tail_goes_on_as_the_exact_curves_do(system):
    """Two decades of Ω below the last well-populated energy, and one below the lowest state."""
    scores, beyond = [], 0
    for seed in range(5):
        curves = curves_of(sampled(system, seed)[1])
        states_e = system.volume(EDGES) * curves.states
        tail = curves.extrapolated & (states_e > 0.1) & (EDGES < -0.1)
        at = np.flatnonzero(tail)[:: max(1, tail.sum() // 6)]
        beyond += np.sum(curves.volume.value[at] == 0)
        for curve, exact in (
            (curves.temperature, system.temperature(EDGES[at])),
            (curves.entropy, np.log(system.volume(EDGES[at]))),
        ):
            width = curve.high[at] - curve.low[at]
            scores.append(4 * (curve.value[at] - exact) / width)
    assert beyond > 5
    scores = np.concatenate(scores)
    assert np.all(np.isfinite(scores))
    assert 0.2 < np.sqrt(np.mean(scores**2)) < 2.0


def test_extrapolation_is_marked_where_few_states_are():
    energy_s, counts = sampled(uniform(), 13)
    curves = curves_of(counts)
    lowest, highest = np.sort(energy_s)[[20, -20]]
    assert np.all(curves.extrapolated[(lowest > EDGES) | (highest < EDGES)])
    assert not np.any(curves.extrapolated[np.abs(EDGES) < min(-lowest, highest) - 0.02])
    assert np.all(np.isnan(curves.entropy.band_low[curves.extrapolated]))


def test_surface_temperature_is_the_derivative_of_the_density():
    curves = curves_of(sampled(convex_dip(), 3)[1])
    smooth = (np.abs(EDGES) > 0.05) & (np.abs(EDGES) < 0.85)
    numeric = np.gradient(curves.surface_entropy.value, EDGES)[smooth]
    np.testing.assert_allclose(
        1 / curves.surface_temperature.value[smooth], numeric, rtol=0.03, atol=0.5
    )


def test_mirrored_states_give_a_mirrored_density():
    counts = sampled(beta(2, 5), 4)[1]
    mirrored_be = np.zeros_like(counts.counts_be)
    mirrored_be[:, 1:] = counts.counts_be[:, :0:-1]
    density = curves_of(counts).density
    mirrored = curves_of(counts._replace(counts_be=mirrored_be)).density
    body = (EDGES > -0.99) & (EDGES < 0.6)
    np.testing.assert_allclose(mirrored.value[::-1][body], density.value[body], rtol=0.01)
    np.testing.assert_allclose(mirrored.high[::-1][body], density.high[body], rtol=0.01)


@pytest.mark.parametrize("system", [uniform(), log_uniform()], ids=lambda system: system.name)
def test_the_atom_at_zero_moves_the_volume_and_not_the_smooth_density(system):
    counts = sampled(system, 5)[1]
    before = curves_of(counts)
    zero = np.searchsorted(EDGES, 0.0)
    atom_b = counts.counts_be.sum(axis=1)
    with_be = counts.counts_be.copy()
    with_be[:, zero] += atom_b
    after = curves_of(StateCounts(with_be, counts.at_zero_b + atom_b, with_be.sum(axis=1)))
    body = ~before.extrapolated & ~after.extrapolated
    np.testing.assert_allclose(after.density.value[body], before.density.value[body] / 2, rtol=0.05)
    np.testing.assert_allclose(
        after.volume.value, (before.volume.value + (EDGES >= 0)) / 2, atol=1e-12
    )


def test_states_below_the_resolution_do_not_distort_their_neighbours():
    """16 decades of |E|: more than half of the states lie in the two innermost cells."""
    shallow, deep = log_uniform(decades=6), log_uniform(decades=16)
    at = (np.abs(EDGES) > 1.1e-6) & (np.abs(EDGES) < 1e-2)
    for system, states in ((shallow, 50), (deep, 133)):
        curves = curves_of(sampled(system, 6, states=states)[1])
        error = curves.surface_entropy.value[at] - np.log(system.density(EDGES[at]))
        assert np.max(np.abs(error)) < 0.3


def test_correlated_documents_widen_the_intervals():
    energy_s, doc_s = beta(2, 5).sample(np.random.default_rng(7), 200, 100, correlation=0.3)
    correlated = curves_of(count_states(energy_s, doc_s, EDGES))
    shuffled_s = np.random.default_rng(8).permutation(doc_s)
    independent = curves_of(count_states(energy_s, shuffled_s, EDGES))
    middle = np.searchsorted(EDGES, -0.4)
    assert correlated.inefficiency > 2.5
    assert independent.inefficiency < 1.2
    for name in ("entropy", "temperature"):
        width = [
            np.log(getattr(c, name).high[middle] / getattr(c, name).low[middle])
            for c in (correlated, independent)
        ]
        assert abs(width[0]) > 1.8 * abs(width[1])


def test_confidence_widens_intervals_and_bands_enclose_them():
    counts = sampled(uniform(), 9)[1]
    wide, narrow = curves_of(counts, confidence=0.99), curves_of(counts, confidence=0.8)
    for name in ("density", "volume", "temperature"):
        a, b = getattr(wide, name), getattr(narrow, name)
        at = np.isfinite(a.band_low) & (a.low < a.value)
        assert at.sum() > 100
        assert np.all((a.low < b.low)[at] & (b.high < a.high)[at])
        assert np.all((a.band_low < a.low)[at] & (a.high < a.band_high)[at])


def test_a_seed_fixes_everything():
    counts = sampled(uniform(), 10)[1]
    first, second = curves_of(counts).columns(), curves_of(counts).columns()
    for name, column in first.items():
        np.testing.assert_array_equal(column, second[name])
    assert list(first)[:6] == [
        "energy", "density", "density_low", "density_high", "density_band_low", "density_band_high",
    ]  # fmt: skip
    assert len(first) == 2 + 5 * len(CURVE_QUANTITIES)


def test_a_billion_states_cost_what_the_grid_costs():
    share_e = np.diff(beta(2, 5).volume(EDGES), prepend=0.0)
    counts_be = np.random.default_rng(11).multinomial(2**30 // BLOCKS, share_e, size=BLOCKS)
    curves = curves_of(StateCounts(counts_be, np.zeros(BLOCKS, np.int64), counts_be.sum(axis=1)))
    at = (EDGES > -0.99) & (EDGES < 0.8)
    exact = beta(2, 5).temperature(EDGES[at])
    assert curves.states == 2**30
    np.testing.assert_allclose(curves.temperature.value[at], exact, rtol=5e-3)


def assert_nowhere_infinite(curves: Curves) -> None:
    for name, column in curves.columns().items():
        assert not np.any(np.isinf(column)), name


@pytest.mark.parametrize("energy", [-1.0, -0.3, 0.0, 1e-12, 1.0])
def test_all_states_at_one_energy_leave_the_density_undefined(energy):
    curves = curves_of(counts_of(np.full(200, energy)))
    assert_nowhere_infinite(curves)
    assert np.all(np.isnan(curves.density.value))
    assert np.all(np.isnan(curves.temperature.value))
    np.testing.assert_array_equal(curves.volume.value, energy <= EDGES)


@pytest.mark.parametrize("scale", [1e-5, 1e-4])
def test_energies_of_one_tiny_scale_are_resolved_there_and_undefined_elsewhere(scale):
    """Of 10⁻⁵ there are but two knots a standard deviation: null is as true as an interval."""
    energy_s = np.random.default_rng(12).normal(0, scale, 4000)
    curves = curves_of(counts_of(energy_s))
    assert_nowhere_infinite(curves)
    exact = np.exp(-((EDGES / scale) ** 2) / 2) / scale / np.sqrt(2 * np.pi)
    near = np.abs(EDGES) < 2 * scale
    density = curves.density
    assert not np.any((density.low > exact)[near] | (density.high < exact)[near])
    if scale > 1e-5:
        np.testing.assert_allclose(density.value[near], exact[near], rtol=0.15)
    assert np.all(np.isnan(density.value[np.abs(EDGES) > 1000 * scale]))


@pytest.mark.parametrize("states", [2, 3, 5, 10])
def test_few_states_give_wide_intervals_and_no_infinity(states):
    curves = curves_of(counts_of(np.linspace(-0.7, 0.6, states)))
    assert_nowhere_infinite(curves)
    middle = np.searchsorted(EDGES, 0.0)
    assert curves.volume.high[middle] - curves.volume.low[middle] > 0.4


def test_bad_counts_are_refused():
    good = counts_of(np.linspace(-0.9, 0.9, 100))
    empty = StateCounts(*map(np.zeros_like, good))
    nan_be = good.counts_be.astype(float)
    nan_be[3, 7] = np.nan
    cases = {
        "no states": empty,
        "negative or NaN": good._replace(counts_be=nan_be),
        "two": counts_of(np.linspace(-0.9, 0.9, 100), blocks=1),
        "do not match": good._replace(counts_be=good.counts_be[:, :-1]),
        "more states at energy 0": good._replace(at_zero_b=good.at_zero_b + 9),
        "squares of documents' states": good._replace(squared_b=good.squared_b + 1),
    }
    for message, counts in cases.items():
        with pytest.raises(ValueError, match=message):
            curves_of(counts)
    with pytest.raises(ValueError, match="negative or NaN"):
        curves_of(good._replace(counts_be=-good.counts_be))
    with pytest.raises(ValueError, match="contain 0"):
        estimate_curves(good, EDGES + 1e-3, np.random.default_rng(0))
