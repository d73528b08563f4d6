"""What nested sampling is told and what it leaves behind: arrays, and no sampler.

So what estimates or draws from it does not depend on how walkers move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

GOES_ON, TARGET, DEPTH, PLATEAU, EVALUATIONS = range(5)
"""How a run has ended: at the energy that was asked for, at the depth, where all walkers have one
energy, so that what lies below can't be told from nothing, or when its evaluations were used up."""

ENDS = ("goes on", "target", "depth", "plateau", "evaluations")
"""The same in words."""


@dataclass(frozen=True)
class Settings:
    """How nested sampling is done.

    Parameters
    ----------
    walkers : K of each run.
    culled : how many of them die at a step.
    moves : by how many moves a copy leaves its origin.
    target : energy at which a run ends.
    depth : nats by which ln Ω falls before a run ends.
    evaluations : energies evaluated after which a run ends.

    Raises
    ------
    ValueError
        If they do not go together.
    """

    walkers: int
    culled: int
    moves: int
    target: float = -np.inf
    depth: float = np.inf
    evaluations: float = np.inf

    def __post_init__(self) -> None:
        if self.moves < 1:
            raise ValueError(f"moves: {self.moves} leave copies where they are; take at least 1")
        if not 1 <= self.culled <= self.walkers / 2:
            raise ValueError(
                f"culled: {self.culled} of {self.walkers} walkers can't die at a step, as each has "
                f"another one to take its place; take 1 to {max(self.walkers // 2, 1)}, or more "
                f"walkers"
            )

    @property
    def nats(self) -> float:
        """By how much ln Ω falls at a step, on average."""
        return float((1 / self.alive(self.culled)).sum())

    def alive(self, deaths: int) -> NDArray[np.float64]:
        """(deaths,) how many walkers were alive at each of the first deaths of a run."""
        return self.walkers - np.arange(deaths, dtype=np.float64) % self.culled


class Trace(NamedTuple):
    """What nested sampling leaves behind, of each run; deaths are in their order.

    settings : those of all runs.
    energy_rz : (runs, deaths) energies, descending; NaN after the end of a run.
    parent_rz : (runs, deaths) of the copy that took the place, how many of the walkers that stayed
        were below its origin; −1 after the end of a run.
    rank_rz : (runs, deaths) how many of them were below itself, after its moves.
    overlap_rz : (runs, deaths) its overlap with its origin, as the space has it.
    reached_r : (runs,) the energy that no walker is above at the end.
    evaluations_r : (runs,) energies evaluated.
    ended_r : (runs,) one of `GOES_ON`, `TARGET`, `DEPTH`, `PLATEAU`, `EVALUATIONS`.
    """

    settings: Settings
    energy_rz: NDArray[np.float64]
    parent_rz: NDArray[np.int64]
    rank_rz: NDArray[np.int64]
    overlap_rz: NDArray[np.float32]
    reached_r: NDArray[np.float64]
    evaluations_r: NDArray[np.int64]
    ended_r: NDArray[np.int64]


def gather(settings: Settings, rows: Sequence[Mapping[str, Any]]) -> Trace:
    """A trace of runs that were done side by side or not, from rows as `columns.RUNS` has them."""
    deaths = max(len(row["energy"]) for row in rows)

    def padded(name: str, nothing: Any) -> NDArray[Any]:
        lists = [np.asarray(row[name]) for row in rows]
        padding = [np.full(deaths - len(part_z), nothing) for part_z in lists]
        return np.array([np.append(*both) for both in zip(lists, padding, strict=True)])

    def each(name: str) -> NDArray[Any]:
        return np.array([row[name] for row in rows])

    return Trace(
        settings,
        padded("energy", np.nan).astype(np.float64),
        padded("parent", -1).astype(np.int64),
        padded("rank", -1).astype(np.int64),
        padded("overlap", np.nan).astype(np.float32),
        each("reached"),
        each("evaluations"),
        np.array([ENDS.index(row["ended"]) for row in rows]),
    )
