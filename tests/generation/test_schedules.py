"""Schedules that hold the marginal entropy: solved while writing, followed, optimised, smoothed."""

import math

import numpy as np
import pytest
import torch

from tests.generation.plain_runs import entropy, softmax, told_runs, written
from tests.generation.test_methods import made_up
from tests.tiny import tiny_model
from workflow_scripts.semstat.generation.methods.stepwise import (
    COLDEST,
    HOTTEST,
    Newton,
    Stepwise,
    solve,
)
from workflow_scripts.semstat.generation.runs import write_runs
from workflow_scripts.semstat.generation.smoothing import knots, smooth, through_knots

CLOSE = 2e-3
"""Nats."""


def marginal_at(logits_drv, temperature, alive_dr=None):
    """Average over prompts of the entropy of the runs' mean distribution, in float64."""
    found = []
    for d, logits_rv in enumerate(logits_drv.double().numpy()):
        alive_r = np.ones(len(logits_rv), bool) if alive_dr is None else alive_dr[d].numpy()
        if alive_r.any():
            p_rv = [softmax(z_v / temperature) for z_v in logits_rv[alive_r]]
            found.append(entropy(np.mean(p_rv, axis=0)))
    return float(np.mean(found))


@pytest.mark.parametrize("target", [0.9, 2.5, 4.5, 5.5])
@pytest.mark.parametrize("scale", [0.5, 2.0, 10.0])
def test_stepwise_holds_the_target_wherever_it_can(target, scale):
    logits_tdrv, uniform_drt = made_up(0, 8, prompts=2, runs=5, scale=scale)
    method = Stepwise(target)
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, method))
    for step, reached, logits_drv in zip(steps, method.reached, logits_tdrv, strict=True):
        least, most = (marginal_at(logits_drv, t) for t in (COLDEST, HOTTEST))
        assert reached == (least < target < most), "entropies of these logits rise"
        found = step.marginal.entropy_d.mean().item()
        (temperature,) = set(step.sampling_temperature.flatten().tolist())
        assert found == pytest.approx(marginal_at(logits_drv, temperature), abs=1e-4)
        if reached:
            assert found == pytest.approx(target, abs=CLOSE)
        else:
            bound = COLDEST if target <= least else HOTTEST
            assert temperature == pytest.approx(bound, rel=1e-6)


def test_a_target_out_of_reach_and_back():
    """Positions at which no sampling temperature does are said so, and spoil none after them."""
    logits_tdrv, uniform_drt = made_up(1, 9, runs=3, scale=2.0)
    for t in (2, 3):
        logits_tdrv[t] = torch.zeros(1, 3, 300)  # ln 300 = 5.7 at every sampling temperature
    for t in (5, 6):
        logits_tdrv[t][:] = 0
        logits_tdrv[t][..., 4] = 1e4  # 0 at every one
    method = Stepwise(3.0)
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, method))
    assert method.reached == [True, True, False, False, True, False, False, True, True]
    taken = [step.sampling_temperature[0, 0].item() for step in steps]
    assert taken[2:4] == pytest.approx([COLDEST] * 2) and taken[5:7] == pytest.approx([HOTTEST] * 2)
    for step, reached in zip(steps, method.reached, strict=True):
        assert (abs(step.marginal.entropy_d.item() - 3.0) < CLOSE) == reached


def test_runs_that_have_ended_are_not_solved_for():
    logits_tdrv, uniform_drt = made_up(2, 40, prompts=2, runs=4, vocabulary=40)
    method = Stepwise(2.0)
    runs = told_runs(logits_tdrv, uniform_drt, method, end_tokens=list(range(6)))
    steps = write_runs(runs)
    assert len(steps) < 40 and not steps[-1].alive.all()
    for step, reached, logits_drv in zip(steps, method.reached, logits_tdrv, strict=False):
        found = np.nanmean(step.marginal.entropy_d)
        temperature = step.sampling_temperature[0, 0].item()
        assert found == pytest.approx(marginal_at(logits_drv, temperature, step.alive), abs=1e-4)
        assert (abs(found - 2.0) < CLOSE) == reached


def test_marginal_entropies_that_do_not_rise():
    """Of a curve that falls and rises a crossing is found beside where one was, or none is said."""

    def valley(x):
        return (x - 0.5) ** 2 - 0.2

    for start in (-2.0, 0.0, 0.5, 1.0, 2.5):
        root, reached = solve(valley, start)
        if reached:
            assert abs(valley(root)) < CLOSE
        else:
            assert root in (math.log(COLDEST), math.log(HOTTEST))
            assert valley(start) > 0, "where it is below the target a crossing is ahead"
    asked = []

    def never(x):
        asked.append(x)
        return 1.0 + math.sin(5 * x) / 2

    assert solve(never, 0.0) == (math.log(COLDEST), False)
    assert min(asked) >= math.log(COLDEST) and len(asked) < 20
    assert solve(lambda _x: 0.0, 0.3) == (0.3, True)


class TooFar:
    def __init__(self):
        self.asked = 0

    def __call__(self, x):
        self.asked += 1
        return 3 * math.tanh(x - 1.2)


def test_a_root_nearby_costs_few_evaluations():
    far, near = TooFar(), TooFar()
    assert solve(far, math.log(COLDEST))[1] and solve(near, 1.15)[1]
    assert near.asked <= 6 < far.asked <= 12


@pytest.mark.parametrize("slope", ["variance", "covariance"])
def test_newton_takes_the_slope_that_it_is_told(slope):
    """One step from the last sampling temperature, by slopes of finite differences in float64."""
    logits_tdrv, uniform_drt = made_up(3, 6, prompts=2, runs=4)
    method = Newton(4.0, slope)
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, method))
    temperature = 1.0
    for step, reached, logits_drv in zip(steps, method.reached, logits_tdrv, strict=True):

        def own(t, logits_drv=logits_drv):
            z_xv = logits_drv.flatten(0, 1).double().numpy()
            return float(np.mean([entropy(softmax(z_v / t)) for z_v in z_xv]))

        def marginal(t, logits_drv=logits_drv):
            return marginal_at(logits_drv, t)

        curve = own if slope == "variance" else marginal
        by_one = (curve(temperature + 1e-5) - curve(temperature - 1e-5)) / 2e-5
        wanted = temperature - (marginal(temperature) - 4.0) / by_one
        cut = min(max(wanted, temperature / 1.5), 1.5 * temperature)
        assert step.sampling_temperature[0, 0].item() == pytest.approx(cut, rel=1e-4)
        assert reached == (cut == wanted)
        temperature = cut
    assert sum(method.reached) >= 4


@pytest.mark.parametrize("slope", ["variance", "covariance"])
@pytest.mark.parametrize("scale", [0.0, 1e4])
def test_newton_survives_slopes_of_0(slope, scale):
    logits_tdrv, uniform_drt = made_up(4, 20, runs=3, scale=scale)
    for t in range(6, 20):
        logits_tdrv[t] = made_up(5, 1, runs=3)[0][0]
    method = Newton(4.0, slope)
    for step in write_runs(told_runs(logits_tdrv, uniform_drt, method)):
        assert COLDEST <= step.sampling_temperature[0, 0] <= HOTTEST
    assert not any(method.reached[:4]) and method.reached[-1]


def test_a_real_model_is_held():
    method = Stepwise(3.0)
    steps = written(tiny_model(scale=0.2), [[0, 5, 9], [0, 1, 2]], range(6), method)
    assert all(method.reached)
    for step in steps:
        assert step.marginal.entropy_d.mean().item() == pytest.approx(3.0, abs=CLOSE)
        assert len(set(step.sampling_temperature.flatten().tolist())) == 1


def test_what_is_smooth_stays_and_noise_goes():
    position_t = np.arange(1, 301)
    true_t = 0.8 + 0.5 / np.sqrt(position_t)
    assert smooth(true_t) == pytest.approx(true_t, rel=1e-3)
    assert smooth(np.full(300, 0.7)) == pytest.approx(np.full(300, 0.7))
    noisy_t = true_t * np.exp(0.2 * np.random.default_rng(0).standard_normal(300))
    found_t = smooth(noisy_t)
    assert (found_t > 0).all()
    error, noise = (np.sqrt(np.mean(np.log(t / true_t) ** 2)) for t in (found_t, noisy_t))
    assert error < noise / 4
    short_t = np.array([1.0, 0.5, 2.0])
    assert (smooth(short_t) == short_t).all()


def test_knots_and_what_goes_through_them():
    assert knots(1, 300).tolist() == [1] and knots(9, 3).tolist() == [1, 2, 3]
    at_q = knots(5, 300)
    assert at_q[0] == 1 and at_q[-1] == 300 and (np.diff(at_q) > 0).all()
    assert (through_knots(knots(1, 300), np.array([0.7]), 300) == 0.7).all()
    temperature_q = np.array([2.0, 0.5, 0.6, 0.6, 1.5])
    found_t = through_knots(at_q, temperature_q, 400)
    assert found_t[at_q - 1] == pytest.approx(temperature_q)
    assert found_t[300:] == pytest.approx(np.full(100, 1.5))
    for one, other, low, high in zip(
        at_q, at_q[1:], temperature_q, temperature_q[1:], strict=False
    ):
        between = found_t[one - 1 : other]
        assert ((np.diff(between) * np.sign(high - low)) >= -1e-12).all(), "monotone"
