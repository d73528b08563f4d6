"""The space `gaussian`: vectors of independent standard normal components."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .circles import move_on_circles, normal_components
from .walkers import EnergyOf, Moved, Weights


@dataclass(frozen=True)
class Gaussian:
    """The standard normal distribution in n dimensions.

    Any other one is what a linear map makes of it, which then belongs to the energy. States move
    along ellipses (elliptical slice sampling, arXiv:1001.0175).

    Parameters
    ----------
    dimensions : n.
    dtype : of the states.
    """

    dimensions: int
    dtype: torch.dtype = torch.float32

    def draw(self, states: int, generator: torch.Generator) -> Tensor:
        return normal_components(states, self.dimensions, self.dtype, generator)

    def move(
        self,
        q_sn: Tensor,
        energy_s: Tensor,
        bound: Weights,
        energy_of: EnergyOf,
        moves: int,
        generator: torch.Generator,
    ) -> Moved:
        return move_on_circles(q_sn, energy_s, bound, energy_of, moves, generator, self._directions)

    def _directions(self, q_sn: Tensor, generator: torch.Generator) -> Tensor:
        return self.draw(len(q_sn), generator)
