"""Volumes from nested sampling against exact integrals, in units of their own errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import stats

from tests.volumes.systems import begin, cap, finish, height, trace
from workflow_scripts.semstat.volumes.diagnostics import diagnose
from workflow_scripts.semstat.volumes.entropy import entropy, of_both_sides, of_repeats
from workflow_scripts.semstat.volumes.gaussian import Gaussian
from workflow_scripts.semstat.volumes.monte_carlo import count_draws
from workflow_scripts.semstat.volumes.nested_sampling import NestedSampling
from workflow_scripts.semstat.volumes.sphere import Sphere
from workflow_scripts.semstat.volumes.trace import DEPTH, EVALUATIONS, PLATEAU, TARGET, Settings

torch.set_num_threads(1)

CHANCE = 1e-4
"""Of a right sampler to fail one of these tests, had its seed not been fixed."""


def is_standard_normal(z_r):
    """Whether mean, spread and the share of |z| < 1.96 are what they should be, by themselves."""
    assert np.isfinite(z_r).all()
    runs = len(z_r)
    assert abs(stats.norm.ppf(CHANCE / 2)) > abs(z_r.mean()) * np.sqrt(runs)
    assert CHANCE < stats.chi2.cdf((z_r**2).sum(), runs) < 1 - CHANCE
    inside = int((abs(z_r) < stats.norm.ppf(0.975)).sum())
    assert stats.binomtest(inside, runs, 0.95).pvalue > CHANCE


def test_a_spherical_cap():
    space = Sphere(8, torch.float64)
    found = trace(space, height, 64, walkers=64, culled=16, moves=6, target=-0.9)
    assert (found.ended_r == TARGET).all()
    energy_e = np.array([-0.4, -0.7, -0.9])
    each = entropy(found, energy_e)
    exact_e = cap(8, energy_e)
    for z_r in ((each.value - exact_e) / each.stderr).T:
        is_standard_normal(z_r)
    # The error that is known from K alone is about √(ln-compression / K).
    assert each.stderr[:, -1] == pytest.approx(np.sqrt(-exact_e[-1] / 64), rel=0.25)
    repeats = of_repeats(each)
    assert (abs(repeats.value - exact_e) < 4 * repeats.stderr).all()
    assert repeats.stderr == pytest.approx(each.stderr.mean(axis=0) / 8, rel=0.35)


def test_a_hundred_nats_down_a_gaussian():
    target = -14.0
    exact = stats.norm.logcdf(target)
    assert exact < -100
    space = Gaussian(2, torch.float64)
    found = trace(space, height, 50, walkers=16, culled=8, moves=8, target=target)
    each = entropy(found, [target])
    is_standard_normal(((each.value - exact) / each.stderr)[:, 0])


def test_two_wells_are_both_found_in_the_right_ratio():
    """Two caps around opposite poles; nothing lies between them below H = 0."""
    steeper = 1.1
    space = Sphere(6, torch.float64)

    def energy_of(q_sn, run_s):
        return -torch.maximum(q_sn[:, 0], -q_sn[:, 0] * steeper).double()

    target = -0.8
    sampling = begin(space, energy_of, 64, walkers=64, culled=16, moves=4, target=target)
    finish(sampling)
    wells = cap(6, [target, target / steeper])
    exact = np.logaddexp(*wells)
    each = entropy(sampling.trace, [target])
    is_standard_normal(((each.value - exact) / each.stderr)[:, 0])
    # Where walkers have ended: below the last bound, where the share follows from the two caps.
    limit_r = np.nanmin(sampling.trace.energy_rz, axis=1)
    gentle_r, steep_r = cap(6, limit_r), cap(6, limit_r / steeper)
    expected = (1 / (1 + np.exp(steep_r - gentle_r))).mean()
    share_r = (sampling.q_rwn[:, :, 0] > 0).double().mean(dim=1).numpy()
    assert abs(share_r.mean() - expected) < 4 * share_r.std(ddof=1) / np.sqrt(64)
    assert 0.1 < expected < 0.4


def test_counted_draws_agree_where_both_reach():
    """An energy of no symmetry: the lowest of the coordinates and of a twisted form."""
    space = Sphere(4, torch.float64)

    def energy_of(q_sn, run_s):
        twisted = q_sn[:, 0] * q_sn[:, 1] + q_sn[:, 2] ** 3 - 0.3 * q_sn[:, 3]
        return torch.minimum(twisted, q_sn[:, 1] - 0.2).double()

    energy_e = np.array([-0.6, -0.9, -1.15])
    drawn = count_draws(space, energy_of, energy_e, 400_000, torch.Generator().manual_seed(1))
    found = trace(space, energy_of, 48, walkers=64, culled=16, moves=4, target=-1.15)
    each = entropy(found, energy_e)
    assert drawn.value[0, -1] < -4
    for z_r in ((each.value - drawn.value) / np.hypot(each.stderr, drawn.stderr)).T:
        is_standard_normal(z_r)


@pytest.mark.parametrize("step", [0.25, 0.05])
def test_plateaus_are_crossed(step):
    """A staircase: most walkers, or all, stand on one step, and ties are broken by labels."""
    space = Sphere(6, torch.float64)

    def energy_of(q_sn, run_s):
        return (q_sn[:, 0] / step).ceil().double() * step

    energy_e = np.array([0.5, 0.0, -0.25, -0.5, -0.75])
    found = trace(space, energy_of, 64, walkers=64, culled=16, moves=5, target=-0.75)
    each = entropy(found, energy_e)
    exact_e = cap(6, energy_e)
    for z_r in ((each.value - exact_e) / each.stderr).T[1:]:
        is_standard_normal(z_r)


def test_a_saturated_energy_ends_a_run_where_it_is_flat():
    """Half of the mass is at the top and the rest of it is flat below −0.5."""
    space = Sphere(6, torch.float64)

    def energy_of(q_sn, run_s):
        return q_sn[:, 0].clamp(-0.5, 0.0).double()

    found = trace(space, energy_of, 64, walkers=64, culled=16, moves=5, depth=50)
    assert (found.ended_r == PLATEAU).all()
    each = entropy(found, [-0.001, -0.5, -0.51])
    assert np.isnan(each.value[:, 2]).all()  # never reached: nothing, and not −inf
    for z_r in ((each.value - cap(6, [-0.001, -0.5, -0.5])) / each.stderr).T[:2]:
        is_standard_normal(z_r)


def test_an_energy_that_is_one_number_is_no_curve():
    found = begin(
        Sphere(3), lambda q_sn, run_s: torch.zeros(len(q_sn)), walkers=8, culled=4, moves=1
    )
    assert not found.goes_on and found.trace.ended_r == [PLATEAU]
    value, stderr = entropy(found.trace, [0.0, -0.1])
    assert value[0, 0] == stderr[0, 0] == 0 and np.isnan(value[0, 1]) and np.isnan(stderr[0, 1])


def test_the_upper_side_is_the_lower_one_of_minus_h():
    space, settings = Sphere(8, torch.float64), {"walkers": 64, "culled": 16, "moves": 6}
    energy_e = np.linspace(-0.8, 0.8, 9)
    lower = trace(space, height, 16, target=-0.8, **settings)
    upper = trace(space, lambda q_sn, run_s: -height(q_sn, run_s), 16, 1, target=-0.8, **settings)
    both = of_both_sides(
        *(of_repeats(entropy(found, side * energy_e)) for found, side in ((lower, 1), (upper, -1)))
    )
    exact_e = cap(8, energy_e)
    assert (abs(both.value - exact_e) < 5 * both.stderr).all()
    # Where Ω is nearly 1, its distance from 1 is what is known well.
    high_e = energy_e > 0.3
    assert (both.stderr[high_e] < 0.3 * (1 - np.exp(exact_e[high_e]))).all()


def test_runs_side_by_side_have_energies_and_ends_of_their_own():
    space = Sphere(5, torch.float64)
    towards = torch.eye(5, dtype=torch.float64)[[0, 1, 1]]
    target_r = torch.tensor([1.0, 1.0, 0.5], dtype=torch.float64)

    def energy_of(q_sn, run_s):
        return ((q_sn * towards[run_s]).sum(dim=1) * target_r[run_s]).double()

    sampling = begin(space, energy_of, 3, walkers=32, culled=8, moves=3, target=-0.45)
    finish(sampling)
    found = sampling.trace
    steps_r = np.isfinite(found.energy_rz).sum(axis=1) / 8
    assert steps_r[2] > steps_r[0] and (found.ended_r == TARGET).all()
    for run in range(3):
        died_z = found.energy_rz[run][np.isfinite(found.energy_rz[run])]
        assert (np.diff(died_z) <= 0).all()
        height_w = sampling.q_rwn[run] @ towards[run] * target_r[run]
        assert torch.allclose(height_w, sampling.energy_rw[run])
        assert height_w.max() <= died_z[-1]


def test_ends_are_told():
    space = Sphere(5, torch.float64)
    settings = {"walkers": 32, "culled": 8, "moves": 3}
    assert trace(space, height, 2, depth=3, **settings).ended_r.tolist() == [DEPTH] * 2
    few = trace(space, height, 2, evaluations=500, **settings)
    assert few.ended_r.tolist() == [EVALUATIONS] * 2
    assert (few.evaluations_r >= 500).all() and (few.evaluations_r < 1000).all()


def clone(state):
    """What another process would read of it."""
    return {name: part.clone() for name, part in state.items()}


def test_what_is_stopped_and_goes_on_ends_with_the_same_bytes():
    space = Gaussian(5)
    settings = {"walkers": 32, "culled": 8, "moves": 3, "depth": 6}
    whole = finish(begin(space, height, 3, **settings))
    halted = begin(space, height, 3, **settings)
    while halted.goes_on:
        halted.step()
        halted = NestedSampling.resume(
            space, height, Settings(**settings), clone(halted.state()), torch.device("cpu")
        )
    for name, part in whole.state().items():
        assert torch.equal(halted.state()[name], part), name
    for part, other in zip(whole.trace[1:], halted.trace[1:], strict=True):
        assert part.tobytes() == other.tobytes()


def test_a_state_can_be_kept_before_the_first_step():
    settings = {"walkers": 4, "culled": 2, "moves": 1, "depth": 1}
    begun = begin(Gaussian(3), height, **settings)
    again = NestedSampling.resume(
        Gaussian(3), height, Settings(**settings), clone(begun.state()), torch.device("cpu")
    )
    again = finish(again).trace
    assert (
        again.energy_rz.size
        and again.energy_rz.tobytes() == finish(begun).trace.energy_rz.tobytes()
    )


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"walkers": 8, "culled": 5, "moves": 1}, r"culled: 5 of 8 walkers .* take 1 to 4"),
        ({"walkers": 4, "culled": 8, "moves": 1}, r"culled: 8 of 4 walkers .* take 1 to 2"),
        ({"walkers": 8, "culled": 0, "moves": 1}, r"culled: 0 of 8"),
        ({"walkers": 8, "culled": 4, "moves": 0}, r"moves: 0 leave copies where they are"),
    ],
)
def test_settings_that_do_not_go_together(settings, said):
    with pytest.raises(ValueError, match=said):
        Settings(**settings)


def test_an_energy_that_is_no_number():
    with pytest.raises(FloatingPointError):
        begin(Sphere(3), lambda q_sn, run_s: height(q_sn, run_s) / 0, walkers=8, culled=4, moves=1)


@dataclass(frozen=True)
class Still(Sphere):
    """A sphere on which nothing moves."""

    def move(self, q_sn, energy_s, bound, energy_of, moves, generator):
        moved = super().move(q_sn, energy_s, bound, energy_of, moves, generator)
        return moved._replace(q_sn=q_sn, energy_s=energy_s, overlap_s=torch.ones(len(q_sn)))


@dataclass(frozen=True)
class Timid(Sphere):
    """A sphere on which what moves stays as high as it may: of several moves the highest counts."""

    def move(self, q_sn, energy_s, bound, energy_of, moves, generator):
        one, other = (
            super(Timid, self).move(q_sn, energy_s, bound, energy_of, moves, generator)
            for _ in range(2)
        )
        higher = one.energy_s > other.energy_s
        energy_s = torch.where(higher, one.energy_s, other.energy_s)
        return one._replace(
            q_sn=torch.where(higher[:, None], one.q_sn, other.q_sn), energy_s=energy_s
        )


def test_diagnostics_tell_what_is_wrong_and_pass_what_is_right():
    settings = {"walkers": 32, "culled": 8, "moves": 6, "depth": 4}
    right, still, timid = (
        diagnose(trace(space, height, 64, **settings))
        for space in (kind(8, torch.float64) for kind in (Sphere, Still, Timid))
    )
    is_standard_normal(right.insertion)
    assert abs(right.memory.mean()) < 0.05 and right.overlap.mean() < 0.8
    assert still.memory.mean() > 0.7 and (still.overlap == 1).all()
    assert timid.insertion.mean() * np.sqrt(64) > 8
    none = begin(Sphere(3), height, walkers=8, culled=4, moves=1, depth=0.0)
    assert not none.goes_on and np.isnan(diagnose(none.trace).insertion).all()
