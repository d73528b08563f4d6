"""Wang–Landau sampling: a second way to volumes, which shares nothing with the first but moves.

States are moved so that all cells of the energy are visited alike: each counts 1/g, with g of its
cell. What g is, the share of the measure there, is learnt on the way: visits multiply it by e^f
(Wang, Landau, Phys. Rev. Lett. 86, 2050, 2001), where f is halved each time that the histogram
is flat, and falls as 1/t once that is more (Belardinelli, Pereyra, Phys. Rev. E 75, 046701, 2007),
so that g converges; t are moves, f the factor of as many visits as a cell has on average. Then g
is held, and states that go on tell by their visits how far off it was: that part has no bias, and
its walkers, which differ, tell its error.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from .entropy import Entropy
from .walkers import EnergyOf, Space, evaluate

Array = NDArray[np.float64]

FLAT = 0.8
"""Visits to the least visited cell, of the mean, from which on a histogram is flat."""


class Flat(NamedTuple):
    """Weights by which all cells of the energy count alike.

    run_s : the run that each state is of.
    edge_e : (energies,) upper edges of cells, ascending; beyond the last one is a cell too.
    log_share_j : (cells,) ln g.
    """

    run_s: Tensor
    edge_e: Tensor
    log_share_j: Tensor

    def of(self, states: Tensor) -> Flat:
        """Those of some of the states."""
        return self._replace(run_s=self.run_s[states])

    def cell(self, energy_s: Tensor) -> Tensor:
        """(states,) cells of energies: j holds those in (E_{j−1}, E_j]."""
        return torch.bucketize(energy_s.contiguous(), self.edge_e)

    def weight(self, energy_s: Tensor) -> Tensor:
        """(states,) 1/g, to a factor."""
        return (self.log_share_j.min() - self.log_share_j[self.cell(energy_s)]).exp()


def flat_histogram(
    space: Space,
    energy_of: EnergyOf,
    energy_e: ArrayLike,
    walkers: int,
    learning: int,
    counting: int,
    generator: torch.Generator,
) -> Entropy:
    """S(E) = ln Pr[H ≤ E] of one run, (energies,); NaN where no walker came.

    Parameters
    ----------
    energy_e : ascending, bounds of the cells; from one to the next S should rise by few nats.
    walkers : states that are moved side by side; the error comes from how far they differ.
    learning : moves of each while g is learnt.
    counting : moves of each that are counted.
    """
    edge_e = torch.as_tensor(np.asarray(energy_e, dtype=np.float64), device=generator.device)
    q_sn = space.draw(walkers, generator)
    run_s = torch.zeros(walkers, dtype=torch.int64, device=q_sn.device)
    energy_s = evaluate(energy_of, q_sn, run_s)
    flat = Flat(run_s, edge_e, edge_e.new_zeros(len(edge_e) + 1))
    seen_j = torch.zeros_like(flat.log_share_j)
    count_sj = edge_e.new_zeros((walkers, len(seen_j)))
    step, each = 1.0, len(seen_j) / walkers
    for move in range(learning + counting):
        moved = space.move(q_sn, energy_s, flat, energy_of, 1, generator)
        q_sn, energy_s = moved.q_sn, moved.energy_s
        cell_s = flat.cell(energy_s)
        if move >= learning:
            count_sj[torch.arange(walkers, device=q_sn.device), cell_s] += 1
            continue
        visited_j = torch.bincount(cell_s, minlength=len(seen_j))
        flat.log_share_j.add_(step * each * visited_j)
        seen_j += visited_j
        if bool(seen_j.min() >= FLAT * seen_j.mean()):
            step, seen_j = step / 2, torch.zeros_like(seen_j)
        step = max(step, 1 / (move + 1))
    return _of_counts(count_sj.cpu().numpy(), flat.log_share_j.cpu().numpy())


def _of_counts(count_sj: Array, log_share_j: Array) -> Entropy:
    """S at the upper edges of all cells but the last; errors by leaving each walker out."""
    share_j = np.exp(log_share_j - log_share_j.max())
    with np.errstate(divide="ignore"):

        def entropies(count_zj: Array) -> Array:
            volume_zj = np.cumsum(count_zj * share_j, axis=-1)
            log_volume_zj: Array = np.log(volume_zj)
            return log_volume_zj[..., :-1] - log_volume_zj[..., -1:]

        total_j = count_sj.sum(axis=0)
        value_e, without_se = entropies(total_j), entropies(total_j - count_sj)
    with np.errstate(invalid="ignore"):
        stderr_e = without_se.std(axis=0) * np.sqrt(len(count_sj) - 1)
    # Without any scatter all walkers have stayed on one side.
    known_e = np.isfinite(without_se).all(axis=0) & (stderr_e > 0)
    return Entropy(*(np.where(known_e, part_e, np.nan) for part_e in (value_e, stderr_e)))
