"""The space `sphere`: unit vectors, uniformly distributed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from .circles import move_on_circles, normal_components
from .walkers import EnergyOf, Moved, Weights


@dataclass(frozen=True)
class Sphere:
    """The unit sphere in n dimensions with its uniform measure.

    States move along great circles (geodesic slice sampling, arXiv:2301.08056).

    Parameters
    ----------
    dimensions : n.
    dtype : of the states.
    """

    dimensions: int
    dtype: torch.dtype = torch.float32

    def draw(self, states: int, generator: torch.Generator) -> Tensor:
        return normalize(self._normal(states, generator), dim=1)

    def move(
        self,
        q_sn: Tensor,
        energy_s: Tensor,
        bound: Weights,
        energy_of: EnergyOf,
        moves: int,
        generator: torch.Generator,
    ) -> Moved:
        moved = move_on_circles(
            q_sn, energy_s, bound, energy_of, moves, generator, self._directions
        )
        return moved._replace(q_sn=normalize(moved.q_sn, dim=1))  # or rounding would add up

    def _directions(self, q_sn: Tensor, generator: torch.Generator) -> Tensor:
        """(states, n) unit tangents, uniformly distributed."""
        v_sn = self._normal(len(q_sn), generator)
        return normalize(v_sn - (v_sn * q_sn).sum(dim=1, keepdim=True) * q_sn, dim=1)

    def _normal(self, states: int, generator: torch.Generator) -> Tensor:
        return normal_components(states, self.dimensions, self.dtype, generator)
