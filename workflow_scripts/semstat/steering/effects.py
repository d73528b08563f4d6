"""The effect of steering on states of real text: what was predicted, and what the norm buys.

Each state is steered by J⁺Δ as it is, which tests the linear prediction; by J⁺ with a line search,
for the norm that a finite change takes; and, for comparison, along random directions and by
gradient ascent in small steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..models.replay import Moment, Reader
from .functionals import Functional, entropy, log_probability
from .steering import aim_anew, ascend, jacobian, least_norm, reachable, search

Array = NDArray[np.float64]

ASCENT_STEPS = 8
"""Steps of gradient ascent within the norm that the line search needs for the largest effect."""

MORE_AIMS = 2
"""Jacobians beyond the first of the steering that is aimed anew."""

TOLERANCE = 0.01
"""Share of an effect by which a line search may miss it."""

NORMS = 6
"""Norms at which a random direction is tried."""

SIGNS = {"correct": 1.0, "last": -1.0, "entropy": 1.0}
"""Quantities that are steered, and which way: ln p of the correct token up, that of the last token
down, the entropy up."""


class Target(NamedTuple):
    """A functional of the output and the way in which it is steered."""

    functional: Functional
    sign: float


def targets(
    quantities: Sequence[str], correct_x: Tensor, last_x: Tensor, vocabulary: int
) -> dict[str, Target]:
    """The quantities to steer, by name, of states whose correct and last tokens these are."""
    functional = {
        "correct": log_probability(correct_x),
        "last": log_probability(last_x),
        "entropy": entropy(vocabulary),
    }
    return {name: Target(functional[name], SIGNS[name]) for name in quantities}


def measure_effects(
    reader: Reader,
    moment: Moment,
    target: Target,
    effects: Sequence[float],
    direction_rxn: Tensor,
    advance: Callable[[int], object] = lambda _states: None,
) -> dict[str, Array]:
    """Steer each state by each effect, in every way.

    Parameters
    ----------
    effects : wanted changes, nats, positive and ascending; the target gives the sign.
    direction_rxn : (directions, states, hidden) random unit vectors.
    advance : called with the number of states whose effect is measured.

    Returns
    -------
    Columns of `columns.STEERED_STATES` from `effect` on, each (effects, states), NaN for null.
    """
    function, state_xn = reader.function(moment, target.functional), moment.state_xn
    before_x1, j_x1n = jacobian(function, state_xn)
    norm_x = state_xn.norm(dim=-1)
    rows = []
    for effect in effects:
        change_x1 = torch.full_like(before_x1, target.sign * effect)
        within_x = reachable(target.functional, before_x1, change_x1)[:, 0]
        change_x1 = torch.where(within_x[:, None], change_x1, 0.0)
        shift_xn = least_norm(j_x1n, change_x1)
        with torch.no_grad():
            linear_x = (function(state_xn + shift_xn) - before_x1)[:, 0]
        one = search(function, state_xn, before_x1, change_x1, shift_xn, norm_x, TOLERANCE)
        aimed = aim_anew(function, state_xn, one, norm_x, TOLERANCE, MORE_AIMS)
        row = {
            # As asked, not as float32 has it.
            "effect": torch.full_like(norm_x, target.sign * effect, dtype=torch.float64),
            "before": before_x1[:, 0],
            "state_norm": norm_x,
            "slope": j_x1n[:, 0].norm(dim=-1),
            "reachable": within_x,
            "linear": linear_x.where(within_x, torch.nan),
            "norm": one.norm_x.where(within_x & one.reached_x, torch.nan),
            "aimed_norm": aimed.norm_x.where(within_x & aimed.reached_x, torch.nan),
        }
        rows.append({name: column_x.double().cpu().numpy() for name, column_x in row.items()})
        advance(len(norm_x))
    table = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    table |= _ascent(function, state_xn, target.sign, effects, table)
    return table | _random(
        function, state_xn, before_x1, target.sign, effects, j_x1n, direction_rxn
    )


def _ascent(
    function: Callable[[Tensor], Tensor],
    state_xn: Tensor,
    sign: float,
    effects: Sequence[float],
    table: Mapping[str, Array],
) -> dict[str, Array]:
    """Where gradient ascent first has each effect, linear between its steps."""
    known_x = ~np.isnan(table["norm"]).all(axis=0)
    farthest_x = np.nanmax(table["norm"], axis=0, initial=0.0, where=~np.isnan(table["norm"]))
    step_x = np.where(known_x, farthest_x / ASCENT_STEPS, 0.0)
    ascent = ascend(
        function, state_xn, sign, torch.from_numpy(step_x).to(state_xn), ASCENT_STEPS * 3 // 2
    )
    value_qx = sign * (ascent.value_qx - ascent.value_qx[0]).double().cpu().numpy()
    distance_qx = ascent.distance_qx.double().cpu().numpy()
    path_qx = np.arange(len(value_qx))[:, None] * step_x
    within_fx = table["reachable"].astype(bool)
    return {
        name: np.where(within_fx, first_crossing(effects, value_qx, along_qx), np.nan)
        for name, along_qx in {"ascent_path": path_qx, "ascent_norm": distance_qx}.items()
    }


def _random(
    function: Callable[[Tensor], Tensor],
    state_xn: Tensor,
    before_x1: Tensor,
    sign: float,
    effects: Sequence[float],
    j_x1n: Tensor,
    direction_rxn: Tensor,
) -> dict[str, Array]:
    """The norms at which random directions first have each effect, each turned to the better side.

    Norms from that of the smallest effect by J⁺ up to ‖h‖; linear between them.
    """
    least_x = effects[0] / j_x1n[:, 0].norm(dim=-1)
    reach_x = state_xn.norm(dim=-1)
    share_q = torch.linspace(0, 1, NORMS, device=state_xn.device)[:, None]
    norm_qx = torch.minimum(least_x, reach_x) ** (1 - share_q) * reach_x**share_q
    path_qx = torch.cat([torch.zeros_like(norm_qx[:1]), norm_qx]).double().cpu().numpy()
    needed = []
    for direction_xn in direction_rxn:
        side_x1 = torch.where((j_x1n[:, 0] * direction_xn).sum(dim=-1) < 0, -sign, sign)[:, None]
        with torch.no_grad():
            value_qx = torch.cat(
                [function(state_xn + r[:, None] * side_x1 * direction_xn).mT for r in norm_qx]
            )
        change_qx = sign * torch.cat([torch.zeros_like(before_x1.mT), value_qx - before_x1.mT])
        needed.append(first_crossing(effects, change_qx.double().cpu().numpy(), path_qx))
    needed_rfx = np.stack(needed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NaN where no direction gets there
        # The lower of the middle two: a norm at which one of the directions does.
        median_fx = np.nanquantile(needed_rfx, 0.5, axis=0, method="lower")
    return {"random_norm": median_fx, "random_reached": np.isfinite(needed_rfx).mean(axis=0)}


def first_crossing(effects: Sequence[float], value_qx: Array, along_qx: Array) -> Array:
    """How far along each curve first reaches each effect; NaN where it never does.

    Parameters
    ----------
    value_qx : (points, curves) change so far, 0 at the first point.
    along_qx : (points, curves) distance, of which the crossing is interpolated linearly.

    Returns
    -------
    (effects, curves)
    """
    found = []
    column_x = np.arange(value_qx.shape[1])
    for effect in effects:
        beyond_qx = value_qx >= effect
        at_x = np.maximum(beyond_qx.argmax(axis=0), 1)
        low_x, high_x = value_qx[at_x - 1, column_x], value_qx[at_x, column_x]
        share_x = (effect - low_x) / np.where(high_x > low_x, high_x - low_x, 1.0)
        start_x, end_x = along_qx[at_x - 1, column_x], along_qx[at_x, column_x]
        crossing_x = start_x + share_x * (end_x - start_x)
        found.append(np.where(beyond_qx.any(axis=0), crossing_x, np.nan))
    return np.stack(found)
