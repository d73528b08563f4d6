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

    shift_bn : (texts, hidden) the change δh.
    before_bm, after_bm : (texts, m) the quantity without and with it.
    wanted_bm : (texts, m) the change of the quantity that was asked for.
    reached_b : (texts,) bool, whether it is reached within the tolerance and the norm budget.
    """

    shift_bn: Tensor
    before_bm: Tensor
    after_bm: Tensor
    wanted_bm: Tensor
    reached_b: Tensor

    @property
    def norm_b(self) -> Tensor:
        """(texts,) ‖δh‖₂."""
        norm_b: Tensor = torch.linalg.vector_norm(self.shift_bn, dim=-1)
        return norm_b

    @property
    def missing_bm(self) -> Tensor:
        """(texts, m) by how much the quantity falls short of what was wanted."""
        return self.before_bm + self.wanted_bm - self.after_bm

    def explain(self) -> str:
        """One sentence on the texts that fell short, and what to change; empty if none did."""
        short_b = ~self.reached_b
        if not short_b.any():
            return ""
        most = self.missing_bm[short_b].abs().max().item()
        return (
            f"{int(short_b.sum())} of {len(short_b)} states fall short, by up to {most:.3g}: "
            f"raise the norm budget, ask for less, or steer at another layer"
        )


def jacobian(function: Function, state_bn: Tensor) -> tuple[Tensor, Tensor]:
    """A function of each hidden state and its exact Jacobian, by a backward pass a component.

    Parameters
    ----------
    function : (texts, hidden) → (texts, m), each row of its own.

    Returns
    -------
    value_bm : (texts, m).
    jacobian_bmn : (texts, m, hidden).
    """
    with torch.enable_grad():
        state_bn = state_bn.detach().clone().requires_grad_()
        value_bm = function(state_bn)
        m = value_bm.shape[1]
        rows = [
            torch.autograd.grad(value_bm[:, i].sum(), state_bn, retain_graph=i + 1 < m)[0]
            for i in range(m)
        ]
    return value_bm.detach(), torch.stack(rows, dim=1)


def least_norm(jacobian_bmn: Tensor, change_bm: Tensor) -> Tensor:
    """δh = Jᵀ(JJᵀ)⁺Δ, computed in float64; where JJᵀ is singular, the least-squares one.

    Returns
    -------
    (texts, hidden) in the dtype of the Jacobian.
    """
    j_bmn = jacobian_bmn.double()
    inverse_bmm = torch.linalg.pinv(j_bmn @ j_bmn.mT, hermitian=True)
    shift_b1n = (inverse_bmm @ change_bm.double()[..., None]).mT @ j_bmn
    shift_bn: Tensor = shift_b1n[:, 0].to(jacobian_bmn.dtype)
    return shift_bn


def check_reachable(functional: Functional, value_bm: Tensor, change_bm: Tensor) -> None:
    """Refuse a change that would lead beyond the bounds of a functional.

    Raises
    ------
    UnreachableError
        One sentence with the first value that is out of reach.
    """
    wanted_bm = value_bm + change_bm
    out_bm = ~reachable(functional, value_bm, change_bm)
    if out_bm.any():
        raise UnreachableError(
            f"{functional.name} cannot become {wanted_bm[out_bm][0].item():.4g}: it lies between "
            f"{functional.low:.4g} and {functional.high:.4g}, and is "
            f"{value_bm[out_bm][0].item():.4g} now; ask for a smaller change"
        )


def reachable(functional: Functional, value_bm: Tensor, change_bm: Tensor) -> Tensor:
    """(texts, m) bool, whether a change stays strictly within the bounds, or is none."""
    wanted_bm = value_bm + change_bm
    within_bm = (wanted_bm > functional.low) & (wanted_bm < functional.high)
    return within_bm | (change_bm == 0)


def steer(
    function: Function,
    state_bn: Tensor,
    change_bm: Tensor,
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
    state_bn : (texts, hidden).
    change_bm : (texts, m) wanted; a row of zeros is left alone.
    budget : largest ‖δh‖ as a share of ‖h‖.
    tolerance : share of Δ by which f may miss it.
    aims : Jacobians to take, at least 1: a backward pass a component of f each.
    """
    longest_b = budget * state_bn.norm(dim=-1)
    before_bm, j_bmn = jacobian(function, state_bn)
    shift_bn = least_norm(j_bmn, change_bm)
    best = search(function, state_bn, before_bm, change_bm, shift_bn, longest_b, tolerance)
    return aim_anew(function, state_bn, best, longest_b, tolerance, aims - 1)


def aim_anew(
    function: Function,
    state_bn: Tensor,
    best: Steered,
    longest_b: Tensor,
    tolerance: float,
    aims: int,
) -> Steered:
    """The best of a change and of so many more aims from where it ends; see `steer`."""
    last = best
    for _ in range(aims):
        value_bm, j_bmn = jacobian(function, state_bn + last.shift_bn)
        along_bm = (j_bmn @ last.shift_bn[..., None])[..., 0]
        shift_bn = least_norm(j_bmn, last.before_bm + last.wanted_bm - value_bm + along_bm)
        last = search(
            function, state_bn, last.before_bm, last.wanted_bm, shift_bn, longest_b, tolerance
        )
        best = _better(best, last)
    return best


def search(
    function: Function,
    state_bn: Tensor,
    before_bm: Tensor,
    change_bm: Tensor,
    direction_bn: Tensor,
    longest_b: Tensor,
    tolerance: float,
) -> Steered:
    """The first point found on each ray h + s·d, s > 0, at which f has changed by Δ.

    The change is measured along Δ, (f − f₀)·Δ/Δ² → 1: s grows from 1 until that is bracketed, then
    by regula falsi, kept from creeping.

    Parameters
    ----------
    direction_bn : (texts, hidden) d.
    longest_b : (texts,) largest ‖s·d‖, or inf.
    """
    square_b = change_bm.square().sum(dim=-1)
    length_b = direction_bn.norm(dim=-1)
    idle_b = (square_b == 0) | (length_b == 0)
    cap_b = torch.where(idle_b, 0.0, longest_b / length_b.where(~idle_b, 1.0))
    scale_b = torch.where(idle_b, 0.0, torch.minimum(torch.ones_like(cap_b), cap_b))
    low_b, at_low_b = torch.zeros_like(scale_b), torch.zeros_like(scale_b)
    high_b, at_high_b = torch.full_like(scale_b, math.inf), torch.ones_like(scale_b)
    best_b, best_bm = torch.zeros_like(scale_b), before_bm.clone()
    closest_b = torch.where(idle_b, 0.0, torch.ones_like(scale_b))
    for _ in range(EVALUATIONS):
        with torch.no_grad():
            value_bm = function(state_bn + scale_b[:, None] * direction_bn)
        done_b = ((value_bm - before_bm) * change_bm).sum(dim=-1) / square_b.where(~idle_b, 1.0)
        nearer_b = (done_b - 1).abs() < closest_b
        best_b = torch.where(nearer_b, scale_b, best_b)
        best_bm = torch.where(nearer_b[:, None], value_bm, best_bm)
        closest_b = torch.where(nearer_b, (done_b - 1).abs(), closest_b)
        beyond_b = done_b >= 1
        high_b = torch.where(beyond_b, scale_b, high_b)
        at_high_b = torch.where(beyond_b, done_b, at_high_b)
        low_b = torch.where(beyond_b, low_b, scale_b)
        at_low_b = torch.where(beyond_b, at_low_b, done_b)
        spent_b = high_b.isinf() & (scale_b >= cap_b)
        if ((closest_b <= tolerance) | spent_b).all():
            break
        share_b = ((1 - at_low_b) / (at_high_b - at_low_b)).clamp(0.1, 0.9)
        inside_b = low_b + share_b * (high_b - low_b).where(high_b.isfinite(), 0.0)
        growth_b = (1 / done_b).where(done_b > 0, 2.0).clamp(1.2, 3.0)
        scale_b = torch.where(high_b.isinf(), torch.minimum(growth_b * scale_b, cap_b), inside_b)
    missed_b = (before_bm + change_bm - best_bm).norm(dim=-1)
    reached_b = missed_b <= tolerance * square_b.sqrt()
    return Steered(best_b[:, None] * direction_bn, before_bm, best_bm, change_bm, reached_b)


def _better(one: Steered, other: Steered) -> Steered:
    """Row by row: what reached Δ before what did not, then the shorter or the closer."""
    shorter_b = other.norm_b < one.norm_b
    closer_b = other.missing_bm.norm(dim=-1) < one.missing_bm.norm(dim=-1)
    same_b = torch.where(other.reached_b, shorter_b, closer_b)
    take_b = torch.where(one.reached_b == other.reached_b, same_b, other.reached_b)
    take_b1 = take_b[:, None]
    return Steered(
        torch.where(take_b1, other.shift_bn, one.shift_bn),
        one.before_bm,
        torch.where(take_b1, other.after_bm, one.after_bm),
        one.wanted_bm,
        torch.where(take_b, other.reached_b, one.reached_b),
    )


class Ascent(NamedTuple):
    """Gradient ascent: (steps + 1, texts) each, from h itself on.

    value_kb : the quantity.
    distance_kb : ‖h_k − h‖₂.
    step_b : (texts,) length of each step, so that the way walked is k·step.
    """

    value_kb: Tensor
    distance_kb: Tensor
    step_b: Tensor


def ascend(function: Function, state_bn: Tensor, sign: float, step_b: Tensor, steps: int) -> Ascent:
    """Follow the gradient of a scalar quantity by normalised steps, up (sign 1) or down (−1).

    Parameters
    ----------
    function : (texts, hidden) → (texts, 1).
    step_b : (texts,) length of a step.
    """
    here_bn, values, distances = state_bn, [], []
    for _ in range(steps):
        value_b1, j_b1n = jacobian(function, here_bn)
        values.append(value_b1[:, 0])
        distances.append((here_bn - state_bn).norm(dim=-1))
        here_bn = here_bn + sign * step_b[:, None] * torch.nn.functional.normalize(j_b1n[:, 0])
    with torch.no_grad():
        values.append(function(here_bn)[:, 0])
    distances.append((here_bn - state_bn).norm(dim=-1))
    return Ascent(torch.stack(values), torch.stack(distances), step_b)
