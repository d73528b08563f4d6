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
    quantities: Sequence[str], correct_b: Tensor, last_b: Tensor, vocabulary: int
) -> dict[str, Target]:
    """The quantities to steer, by name, of states whose correct and last tokens these are."""
    functional = {
        "correct": log_probability(correct_b),
        "last": log_probability(last_b),
        "entropy": entropy(vocabulary),
    }
    return {name: Target(functional[name], SIGNS[name]) for name in quantities}


def measure_effects(
    reader: Reader,
    moment: Moment,
    target: Target,
    effects: Sequence[float],
    direction_rbn: Tensor,
    advance: Callable[[int], object] = lambda _states: None,
) -> dict[str, Array]:
    """Steer each state by each effect, in every way.

    Parameters
    ----------
    effects : wanted changes, nats, positive and ascending; the target gives the sign.
    direction_rbn : (directions, states, hidden) random unit vectors.
    advance : called with the number of states whose effect is measured.

    Returns
    -------
    Columns of `columns.STEERED_STATES` from `effect` on, each (effects, states), NaN for null.
    """
    function, state_bn = reader.function(moment, target.functional), moment.state_bn
    before_b1, j_b1n = jacobian(function, state_bn)
    norm_b = state_bn.norm(dim=-1)
    rows = []
    for effect in effects:
        change_b1 = torch.full_like(before_b1, target.sign * effect)
        within_b = reachable(target.functional, before_b1, change_b1)[:, 0]
        change_b1 = torch.where(within_b[:, None], change_b1, 0.0)
        shift_bn = least_norm(j_b1n, change_b1)
        with torch.no_grad():
            linear_b = (function(state_bn + shift_bn) - before_b1)[:, 0]
        one = search(function, state_bn, before_b1, change_b1, shift_bn, norm_b, TOLERANCE)
        aimed = aim_anew(function, state_bn, one, norm_b, TOLERANCE, MORE_AIMS)
        row = {
            # As asked, not as float32 has it.
            "effect": torch.full_like(norm_b, target.sign * effect, dtype=torch.float64),
            "before": before_b1[:, 0],
            "state_norm": norm_b,
            "slope": j_b1n[:, 0].norm(dim=-1),
            "reachable": within_b,
            "linear": linear_b.where(within_b, torch.nan),
            "norm": one.norm_b.where(within_b & one.reached_b, torch.nan),
            "aimed_norm": aimed.norm_b.where(within_b & aimed.reached_b, torch.nan),
        }
        rows.append({name: column_b.double().cpu().numpy() for name, column_b in row.items()})
        advance(len(norm_b))
    table = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    table |= _ascent(function, state_bn, target.sign, effects, table)
    return table | _random(
        function, state_bn, before_b1, target.sign, effects, j_b1n, direction_rbn
    )


def _ascent(
    function: Callable[[Tensor], Tensor],
    state_bn: Tensor,
    sign: float,
    effects: Sequence[float],
    table: Mapping[str, Array],
) -> dict[str, Array]:
    """Where gradient ascent first has each effect, linear between its steps."""
    known_b = ~np.isnan(table["norm"]).all(axis=0)
    farthest_b = np.nanmax(table["norm"], axis=0, initial=0.0, where=~np.isnan(table["norm"]))
    step_b = np.where(known_b, farthest_b / ASCENT_STEPS, 0.0)
    ascent = ascend(
        function, state_bn, sign, torch.from_numpy(step_b).to(state_bn), ASCENT_STEPS * 3 // 2
    )
    value_kb = sign * (ascent.value_kb - ascent.value_kb[0]).double().cpu().numpy()
    distance_kb = ascent.distance_kb.double().cpu().numpy()
    path_kb = np.arange(len(value_kb))[:, None] * step_b
    within_eb = table["reachable"].astype(bool)
    return {
        name: np.where(within_eb, first_crossing(effects, value_kb, along_kb), np.nan)
        for name, along_kb in {"ascent_path": path_kb, "ascent_norm": distance_kb}.items()
    }


def _random(
    function: Callable[[Tensor], Tensor],
    state_bn: Tensor,
    before_b1: Tensor,
    sign: float,
    effects: Sequence[float],
    j_b1n: Tensor,
    direction_rbn: Tensor,
) -> dict[str, Array]:
    """The norms at which random directions first have each effect, each turned to the better side.

    Norms from that of the smallest effect by J⁺ up to ‖h‖; linear between them.
    """
    least_b = effects[0] / j_b1n[:, 0].norm(dim=-1)
    reach_b = state_bn.norm(dim=-1)
    share_k = torch.linspace(0, 1, NORMS, device=state_bn.device)[:, None]
    norm_kb = torch.minimum(least_b, reach_b) ** (1 - share_k) * reach_b**share_k
    path_kb = torch.cat([torch.zeros_like(norm_kb[:1]), norm_kb]).double().cpu().numpy()
    needed = []
    for direction_bn in direction_rbn:
        side_b1 = torch.where((j_b1n[:, 0] * direction_bn).sum(dim=-1) < 0, -sign, sign)[:, None]
        with torch.no_grad():
            value_kb = torch.cat(
                [function(state_bn + r[:, None] * side_b1 * direction_bn).mT for r in norm_kb]
            )
        change_kb = sign * torch.cat([torch.zeros_like(before_b1.mT), value_kb - before_b1.mT])
        needed.append(first_crossing(effects, change_kb.double().cpu().numpy(), path_kb))
    needed_reb = np.stack(needed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NaN where no direction gets there
        # The lower of the middle two: a norm at which one of the directions does.
        median_eb = np.nanquantile(needed_reb, 0.5, axis=0, method="lower")
    return {"random_norm": median_eb, "random_reached": np.isfinite(needed_reb).mean(axis=0)}


def first_crossing(effects: Sequence[float], value_kb: Array, along_kb: Array) -> Array:
    """How far along each curve first reaches each effect; NaN where it never does.

    Parameters
    ----------
    value_kb : (points, curves) change so far, 0 at the first point.
    along_kb : (points, curves) distance, of which the crossing is interpolated linearly.

    Returns
    -------
    (effects, curves)
    """
    found = []
    column_b = np.arange(value_kb.shape[1])
    for effect in effects:
        beyond_kb = value_kb >= effect
        at_b = np.maximum(beyond_kb.argmax(axis=0), 1)
        low_b, high_b = value_kb[at_b - 1, column_b], value_kb[at_b, column_b]
        share_b = (effect - low_b) / np.where(high_b > low_b, high_b - low_b, 1.0)
        start_b, end_b = along_kb[at_b - 1, column_b], along_kb[at_b, column_b]
        crossing_b = start_b + share_b * (end_b - start_b)
        found.append(np.where(beyond_kb.any(axis=0), crossing_b, np.nan))
    return np.stack(found)
