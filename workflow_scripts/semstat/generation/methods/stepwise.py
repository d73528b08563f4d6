"""The sampling temperature at which the marginal entropy of the runs at hand is the target.

At each position that is a root of one variable on logits that are there anyway, so that a whole
schedule costs one generation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
from scipy.optimize import brentq
from torch import Tensor

from ..marginal import entropy_at, entropy_of_mean, marginal_slope
from ..runs import COLDEST, HOTTEST, Look, Solver, soften

_STEP = math.log(1.25)
_CLOSE = 1e-3  # of ln sampling temperature; what is left is ~1e-3 nats


class Stepwise(Solver):
    """Solve at each position for one sampling temperature, that of all prompts and runs.

    The marginal entropy, on average over prompts, need not rise with the sampling temperature at
    all places; of its crossings of the target one beside the last position's is taken. Where it
    does not come to the target, the nearest bound is taken and `reached` says so.

    Parameters
    ----------
    target : marginal entropy to hold, nats.
    """

    def __init__(self, target: float) -> None:
        super().__init__()
        self.target = target
        self.log_temperature = 0.0

    def sampling_temperature(self, _step: int, look: Look) -> Tensor:
        def excess(log_temperature: float) -> float:
            entropy_d = entropy_at(look.shifted_drv, math.exp(log_temperature), look.alive_dr)
            return float(_over_prompts(entropy_d, look)) - self.target

        self.log_temperature, reached = solve(excess, self.log_temperature)
        self.reached.append(reached)
        return torch.full_like(look.entropy_dr, math.exp(self.log_temperature))


class Newton(Solver):
    """One step of Newton's method from the last position's sampling temperature, and no more.

    The proxy of the source takes the variance of the logits alone: dH/dT = Var_p(z) / T³ of each
    run, on average. Of the marginal entropy the slope is a covariance (`marginal_slope`).

    Parameters
    ----------
    target : marginal entropy to hold, nats.
    slope : by the variance, or by the covariance.
    A position is reached where its step was taken whole.
    """

    def __init__(self, target: float, slope: str) -> None:
        super().__init__()
        self.target, self.slope = target, slope
        self.temperature = 1.0

    def sampling_temperature(self, _step: int, look: Look) -> Tensor:
        now_dr = torch.full_like(look.entropy_dr, self.temperature)
        p_drv, _, variance_dr = soften(look.shifted_drv, now_dr)
        if self.slope == "variance":
            slope = variance_dr[look.alive_dr].mean() / self.temperature**3
        else:
            slope_d = marginal_slope(p_drv, look.shifted_drv, now_dr[:, 0], look.alive_dr)
            slope = _over_prompts(slope_d, look)
        excess = _over_prompts(entropy_of_mean(p_drv, look.alive_dr), look) - self.target
        wanted = self.temperature - float(excess / slope)
        # The slope holds near by only, and where it is about 0 nowhere.
        near = min(max(wanted, self.temperature / 1.5), 1.5 * self.temperature)
        self.temperature = min(max(near, COLDEST), HOTTEST)
        self.reached.append(self.temperature == wanted)
        return torch.full_like(look.entropy_dr, self.temperature)


def _over_prompts(value_d: Tensor, look: Look) -> Tensor:
    """Average over the prompts of which a run goes on."""
    return value_d[look.alive_dr.any(dim=1)].mean()


def solve(excess: Callable[[float], float], start: float) -> tuple[float, bool]:
    """A root near where one was, among logarithms of sampling temperatures.

    Parameters
    ----------
    excess : of the marginal entropy over the target, of ln sampling temperature.
    start : where to look first.

    Returns
    -------
    the root, or the bound nearer to it; and whether it is a root.
    """
    excess = cache(excess)  # brentq asks again at both ends
    here = excess(start)
    way = -1.0 if here > 0 else 1.0
    bound = math.log(COLDEST if here > 0 else HOTTEST)
    step, last = _STEP, start
    while here != 0 and last != bound:
        ahead = last + way * step
        ahead = max(ahead, bound) if way < 0 else min(ahead, bound)
        there = excess(ahead)
        if there * here <= 0:
            return float(brentq(excess, last, ahead, xtol=_CLOSE)), True
        last, step = ahead, 2 * step
    return last, here == 0
