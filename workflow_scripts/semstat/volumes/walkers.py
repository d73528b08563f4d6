"""What a sampler asks of a space: states drawn from its measure, and moved under a bound on H."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

EnergyOf = Callable[[Tensor, Tensor], Tensor]
"""(states, n) states and (states,) the runs that they are of → (states,) energies."""


def evaluate(energy_of: EnergyOf, q_sn: Tensor, run_s: Tensor) -> Tensor:
    """(states,) float64 energies.

    Raises
    ------
    FloatingPointError
        If one of them is NaN or infinite.
    """
    energy_s = energy_of(q_sn, run_s).double()
    if not energy_s.isfinite().all():
        raise FloatingPointError("an energy is NaN or infinite")
    return energy_s


class Weights(Protocol):
    """How much states count, by their energy, in what moves are to leave as it is."""

    @property
    def run_s(self) -> Tensor:
        """(states,) the run that each state is of."""

    def of(self, states: Tensor) -> Weights:
        """Those of some of the states."""

    def weight(self, energy_s: Tensor) -> Tensor:
        """(states,) float64 density at these energies relative to the measure, to a factor."""


class Bound(NamedTuple):
    """H ≤ λ for each state, and what breaks the ties at λ; all are (states,).

    Where many states have one energy, nested sampling that asks for H < λ alone goes wrong (Fowlie,
    Handley, Su, arXiv:2010.13884). So each state has a label too, uniform in [0, 1), and they are
    ordered by energy and then by label (Skilling, Bayesian Analysis 1, 833, 2006): no two are
    alike. Moves need not know of labels: without them, a state at λ counts as much as `label_s`.

    run_s : the run that the state is of.
    limit_s : λ.
    label_s : what the label of a state at λ must be below.
    """

    run_s: Tensor
    limit_s: Tensor
    label_s: Tensor

    def of(self, states: Tensor) -> Bound:
        """That of some of the states."""
        return Bound(*(part[states] for part in self))

    def weight(self, energy_s: Tensor) -> Tensor:
        """(states,) share of the labels that are allowed to states of these energies."""
        at_s = torch.where(energy_s == self.limit_s, self.label_s, 0.0)
        return torch.where(energy_s < self.limit_s, 1.0, at_s)


class Moved(NamedTuple):
    """Where moves have led, each field (states, …).

    energy_s : energies, as they were evaluated there.
    overlap_s : with where they began: 1 if nothing moved, 0 on average if that is forgotten.
    evaluations_s : int64, energies that were evaluated on the way.
    """

    q_sn: Tensor
    energy_s: Tensor
    overlap_s: Tensor
    evaluations_s: Tensor


class Space(Protocol):
    """A space with a measure of total 1; a plug, whose file says which."""

    def draw(self, states: int, generator: torch.Generator) -> Tensor:
        """(states, n) independent states, distributed by the measure, on the generator's device."""

    def move(
        self,
        q_sn: Tensor,
        energy_s: Tensor,
        bound: Weights,
        energy_of: EnergyOf,
        moves: int,
        generator: torch.Generator,
    ) -> Moved:
        """Move each state `moves` times, so that the measure under the bound is left as it is.

        Parameters
        ----------
        q_sn : (states, n) states that the bound allows.
        energy_s : (states,) their energies.
        """
