"""Jacobian steering: the least change of a hidden state that moves an output by a wanted amount.

For a quantity f of the model's output and a hidden state h, with J = ∂f/∂h, the least-norm change
that moves f by Δ to first order is δh = J⁺Δ = Jᵀ(JJᵀ)⁻¹Δ (Penrose, Proc. Cambridge Phil. Soc. 52,
17 (1956), doi:10.1017/S0305004100030929). A line search along it finds the finite change. Texts are
rows of a batch, independent of each other. A reconstruction of the method of arXiv 2508.08492, from
its abstract.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .functionals import Functional

Function = Callable[[Tensor], Tensor]

EVALUATIONS = 24
"""Points that a line search looks at before it gives up."""


class UnreachableError(ValueError):
    """A change that no hidden state can bring about."""


class Steered(NamedTuple):
    """A change of the hidden states, and what it does.

    shift_xn : (texts, hidden) the change δh.
    before_xm, after_xm : (texts, m) the quantity without and with it.
    wanted_xm : (texts, m) the change of the quantity that was asked for.
    reached_x : (texts,) bool, whether it is reached within the tolerance and the norm budget.
    """

    shift_xn: Tensor
    before_xm: Tensor
    after_xm: Tensor
    wanted_xm: Tensor
    reached_x: Tensor

    @property
    def norm_x(self) -> Tensor:
        """(texts,) ‖δh‖₂."""
        norm_x: Tensor = torch.linalg.vector_norm(self.shift_xn, dim=-1)
        return norm_x

    @property
    def missing_xm(self) -> Tensor:
        """(texts, m) by how much the quantity falls short of what was wanted."""
        return self.before_xm + self.wanted_xm - self.after_xm

    def explain(self) -> str:
        """One sentence on the texts that fell short, and what to change; empty if none did."""
        short_x = ~self.reached_x
        if not short_x.any():
            return ""
        most = self.missing_xm[short_x].abs().max().item()
        return (
            f"{int(short_x.sum())} of {len(short_x)} states fall short, by up to {most:.3g}: "
            f"raise the norm budget, ask for less, or steer at another layer"
        )


def jacobian(function: Function, state_xn: Tensor) -> tuple[Tensor, Tensor]:
    """A function of each hidden state and its exact Jacobian, by a backward pass a component.

    Parameters
    ----------
    function : (texts, hidden) → (texts, m), each row of its own.

    Returns
    -------
    value_xm : (texts, m).
    jacobian_xmn : (texts, m, hidden).
    """
    with torch.enable_grad():
        state_xn = state_xn.detach().clone().requires_grad_()
        value_xm = function(state_xn)
        m = value_xm.shape[1]
        rows = [
            torch.autograd.grad(value_xm[:, i].sum(), state_xn, retain_graph=i + 1 < m)[0]
            for i in range(m)
        ]
    return value_xm.detach(), torch.stack(rows, dim=1)


def least_norm(jacobian_xmn: Tensor, change_xm: Tensor) -> Tensor:
    """δh = Jᵀ(JJᵀ)⁺Δ, computed in float64; where JJᵀ is singular, the least-squares one.

    Returns
    -------
    (texts, hidden) in the dtype of the Jacobian.
    """
    j_xmn = jacobian_xmn.double()
    inverse_xmm = torch.linalg.pinv(j_xmn @ j_xmn.mT, hermitian=True)
    shift_x1n = (inverse_xmm @ change_xm.double()[..., None]).mT @ j_xmn
    shift_xn: Tensor = shift_x1n[:, 0].to(jacobian_xmn.dtype)
    return shift_xn


def check_reachable(functional: Functional, value_xm: Tensor, change_xm: Tensor) -> None:
    """Refuse a change that would lead beyond the bounds of a functional.

    Raises
    ------
    UnreachableError
        One sentence with the first value that is out of reach.
    """
    wanted_xm = value_xm + change_xm
    out_xm = ~reachable(functional, value_xm, change_xm)
    if out_xm.any():
        raise UnreachableError(
            f"{functional.name} cannot become {wanted_xm[out_xm][0].item():.4g}: it lies between "
            f"{functional.low:.4g} and {functional.high:.4g}, and is "
            f"{value_xm[out_xm][0].item():.4g} now; ask for a smaller change"
        )


def reachable(functional: Functional, value_xm: Tensor, change_xm: Tensor) -> Tensor:
    """(texts, m) bool, whether a change stays strictly within the bounds, or is none."""
    wanted_xm = value_xm + change_xm
    within_xm = (wanted_xm > functional.low) & (wanted_xm < functional.high)
    return within_xm | (change_xm == 0)


def steer(
    function: Function,
    state_xn: Tensor,
    change_xm: Tensor,
    budget: float = math.inf,
    tolerance: float = 0.01,
    aims: int = 1,
) -> Steered:
    """The least change of hidden states by which a quantity changes by a finite amount.

    From J at h, a line search along J⁺Δ. Each further aim takes the Jacobian anew where the last
    one ended, at h + δ, and searches along J⁺(Δ_left + Jδ): the least-norm solution of the
    constraint linearised there. Its fixed point is a stationary point of ‖δ‖ under
    f(h + δ) = f(h) + Δ. Of all aims the shortest that reached Δ is kept, else the one that came
    closest.

    Parameters
    ----------
    function : (texts, hidden) → (texts, m), each row of its own.
    state_xn : (texts, hidden).
    change_xm : (texts, m) wanted; a row of zeros is left alone.
    budget : largest ‖δh‖ as a share of ‖h‖.
    tolerance : share of Δ by which f may miss it.
    aims : Jacobians to take, at least 1: a backward pass a component of f each.
    """
    longest_x = budget * state_xn.norm(dim=-1)
    before_xm, j_xmn = jacobian(function, state_xn)
    shift_xn = least_norm(j_xmn, change_xm)
    best = search(function, state_xn, before_xm, change_xm, shift_xn, longest_x, tolerance)
    return aim_anew(function, state_xn, best, longest_x, tolerance, aims - 1)


def aim_anew(
    function: Function,
    state_xn: Tensor,
    best: Steered,
    longest_x: Tensor,
    tolerance: float,
    aims: int,
) -> Steered:
    """The best of a change and of so many more aims from where it ends; see `steer`."""
    last = best
    for _ in range(aims):
        value_xm, j_xmn = jacobian(function, state_xn + last.shift_xn)
        along_xm = (j_xmn @ last.shift_xn[..., None])[..., 0]
        shift_xn = least_norm(j_xmn, last.before_xm + last.wanted_xm - value_xm + along_xm)
        last = search(
            function, state_xn, last.before_xm, last.wanted_xm, shift_xn, longest_x, tolerance
        )
        best = _better(best, last)
    return best


def search(
    function: Function,
    state_xn: Tensor,
    before_xm: Tensor,
    change_xm: Tensor,
    direction_xn: Tensor,
    longest_x: Tensor,
    tolerance: float,
) -> Steered:
    """The first point found on each ray h + s·d, s > 0, at which f has changed by Δ.

    The change is measured along Δ, (f − f₀)·Δ/Δ² → 1: s grows from 1 until that is bracketed, then
    by regula falsi, kept from creeping.

    Parameters
    ----------
    direction_xn : (texts, hidden) d.
    longest_x : (texts,) largest ‖s·d‖, or inf.
    """
    square_x = change_xm.square().sum(dim=-1)
    length_x = direction_xn.norm(dim=-1)
    idle_x = (square_x == 0) | (length_x == 0)
    cap_x = torch.where(idle_x, 0.0, longest_x / length_x.where(~idle_x, 1.0))
    scale_x = torch.where(idle_x, 0.0, torch.minimum(torch.ones_like(cap_x), cap_x))
    low_x, at_low_x = torch.zeros_like(scale_x), torch.zeros_like(scale_x)
    high_x, at_high_x = torch.full_like(scale_x, math.inf), torch.ones_like(scale_x)
    best_x, best_xm = torch.zeros_like(scale_x), before_xm.clone()
    closest_x = torch.where(idle_x, 0.0, torch.ones_like(scale_x))
    for _ in range(EVALUATIONS):
        with torch.no_grad():
            value_xm = function(state_xn + scale_x[:, None] * direction_xn)
        done_x = ((value_xm - before_xm) * change_xm).sum(dim=-1) / square_x.where(~idle_x, 1.0)
        nearer_x = (done_x - 1).abs() < closest_x
        best_x = torch.where(nearer_x, scale_x, best_x)
        best_xm = torch.where(nearer_x[:, None], value_xm, best_xm)
        closest_x = torch.where(nearer_x, (done_x - 1).abs(), closest_x)
        beyond_x = done_x >= 1
        high_x = torch.where(beyond_x, scale_x, high_x)
        at_high_x = torch.where(beyond_x, done_x, at_high_x)
        low_x = torch.where(beyond_x, low_x, scale_x)
        at_low_x = torch.where(beyond_x, at_low_x, done_x)
        spent_x = high_x.isinf() & (scale_x >= cap_x)
        if ((closest_x <= tolerance) | spent_x).all():
            break
        share_x = ((1 - at_low_x) / (at_high_x - at_low_x)).clamp(0.1, 0.9)
        inside_x = low_x + share_x * (high_x - low_x).where(high_x.isfinite(), 0.0)
        growth_x = (1 / done_x).where(done_x > 0, 2.0).clamp(1.2, 3.0)
        scale_x = torch.where(high_x.isinf(), torch.minimum(growth_x * scale_x, cap_x), inside_x)
    missed_x = (before_xm + change_xm - best_xm).norm(dim=-1)
    reached_x = missed_x <= tolerance * square_x.sqrt()
    return Steered(best_x[:, None] * direction_xn, before_xm, best_xm, change_xm, reached_x)


def _better(one: Steered, other: Steered) -> Steered:
    """Row by row: what reached Δ before what did not, then the shorter or the closer."""
    shorter_x = other.norm_x < one.norm_x
    closer_x = other.missing_xm.norm(dim=-1) < one.missing_xm.norm(dim=-1)
    same_x = torch.where(other.reached_x, shorter_x, closer_x)
    take_x = torch.where(one.reached_x == other.reached_x, same_x, other.reached_x)
    take_x1 = take_x[:, None]
    return Steered(
        torch.where(take_x1, other.shift_xn, one.shift_xn),
        one.before_xm,
        torch.where(take_x1, other.after_xm, one.after_xm),
        one.wanted_xm,
        torch.where(take_x, other.reached_x, one.reached_x),
    )


class Ascent(NamedTuple):
    """Gradient ascent: (steps + 1, texts) each, from h itself on.

    value_qx : the quantity.
    distance_qx : ‖h_q − h‖₂.
    step_x : (texts,) length of each step, so that the way walked is q·step.
    """

    value_qx: Tensor
    distance_qx: Tensor
    step_x: Tensor


def ascend(function: Function, state_xn: Tensor, sign: float, step_x: Tensor, steps: int) -> Ascent:
    """Follow the gradient of a scalar quantity by normalised steps, up (sign 1) or down (−1).

    Parameters
    ----------
    function : (texts, hidden) → (texts, 1).
    step_x : (texts,) length of a step.
    """
    here_xn, values, distances = state_xn, [], []
    for _ in range(steps):
        value_x1, j_x1n = jacobian(function, here_xn)
        values.append(value_x1[:, 0])
        distances.append((here_xn - state_xn).norm(dim=-1))
        here_xn = here_xn + sign * step_x[:, None] * torch.nn.functional.normalize(j_x1n[:, 0])
    with torch.no_grad():
        values.append(function(here_xn)[:, 0])
    distances.append((here_xn - state_xn).norm(dim=-1))
    return Ascent(torch.stack(values), torch.stack(distances), step_x)
