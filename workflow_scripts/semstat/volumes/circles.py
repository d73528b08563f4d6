"""Slice sampling on circles under a bound on the energy, all states in one batch.

A circle leads through each state, x cos θ + v sin θ. Points are drawn on it, uniformly in a bracket
that begins as the whole circle and shrinks towards x at each point that the bound forbids, until
one is allowed: nothing is to be tuned, and no move is refused. How v is drawn makes it elliptical
slice sampling (Murray, Adams, MacKay, arXiv:1001.0175) or geodesic slice sampling (Habeck,
Hasenpflug, Kodgirwar, Rudolf, arXiv:2301.08056).

How soon that forgets: deep in a well whose bound is nearly flat, a move takes the depth Δ under the
bound to (Δ + g)(1 − u²), u uniform and g as random as v is, in any number of dimensions: the
correlation of depths falls to 2/3 at each move, to 4% after eight. Uneven wells take longer.

States do not wait for each other: one that has arrived begins its next circle at once, so that
batches stay wide while any has moves left.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import torch
from torch import Tensor

from .walkers import EnergyOf, Moved, Weights, evaluate

Directions = Callable[[Tensor, torch.Generator], Tensor]
"""(states, n) states → (states, n) the v of a new circle through each."""


def normal_components(
    states: int, dimensions: int, dtype: torch.dtype, generator: torch.Generator
) -> Tensor:
    """(states, n) independent standard normal components, on the generator's device."""
    shape = (states, dimensions)
    return torch.randn(shape, generator=generator, dtype=dtype, device=generator.device)


def move_on_circles(
    q_sn: Tensor,
    energy_s: Tensor,
    bound: Weights,
    energy_of: EnergyOf,
    moves: int,
    generator: torch.Generator,
    directions: Directions,
) -> Moved:
    """Move each state along `moves` circles, one after the other; as `Space.move` has it.

    A bracket that rounding can no longer divide leaves its state where it is.

    Parameters
    ----------
    directions : draws v so that (x, v) is as likely as any (x cos θ + v sin θ, v cos θ − x sin θ).
    """
    from_sn, q_sn, energy_s = q_sn, q_sn.clone(), energy_s.clone()
    narrowest = torch.finfo(q_sn.dtype).eps
    v_sn = torch.empty_like(q_sn)
    low_s, high_s, angle_s, height_s = torch.empty(
        (4, len(q_sn)), dtype=torch.float64, device=q_sn.device
    )
    left_s = torch.full_like(bound.run_s, moves)
    evaluations_s = torch.zeros_like(left_s)

    def uniform(states: Tensor) -> Tensor:
        number, device = len(states), states.device
        return torch.rand(number, generator=generator, dtype=torch.float64, device=device)

    def begin(states: Tensor) -> None:
        v_sn[states] = directions(q_sn[states], generator)
        height_s[states] = uniform(states) * bound.of(states).weight(energy_s[states])
        high_s[states] = angle_s[states] = 2 * pi * uniform(states)
        low_s[states] = high_s[states] - 2 * pi

    going = torch.arange(len(q_sn), device=q_sn.device)
    begin(going)
    while len(going):
        at_s = angle_s[going].to(q_sn.dtype)[:, None]
        x_sn = q_sn[going] * at_s.cos() + v_sn[going] * at_s.sin()
        found_s = evaluate(energy_of, x_sn, bound.run_s[going])
        evaluations_s[going] += 1
        in_slice_s = height_s[going] < bound.of(going).weight(found_s)

        arrived, missed = going[in_slice_s], going[~in_slice_s]
        q_sn[arrived], energy_s[arrived] = x_sn[in_slice_s], found_s[in_slice_s]
        miss_s = angle_s[missed]
        low_s[missed] = torch.where(miss_s < 0, miss_s, low_s[missed])
        high_s[missed] = torch.where(miss_s < 0, high_s[missed], miss_s)
        width_s = high_s[missed] - low_s[missed]
        angle_s[missed] = low_s[missed] + width_s * uniform(missed)

        ended = torch.cat([arrived, missed[width_s < narrowest]])
        left_s[ended] -= 1
        begin(ended[left_s[ended] > 0])
        going = going[left_s[going] > 0]
    cosine_s = torch.nn.functional.cosine_similarity(from_sn, q_sn, dim=1)
    return Moved(q_sn, energy_s, cosine_s, evaluations_s)
