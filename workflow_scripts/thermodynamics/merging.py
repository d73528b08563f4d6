"""State counts as the commands after counting take them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cyclopts import Parameter

from ..semstat.errors import InputError
from ..semstat.provenance import Provenance
from ..semstat.tables import provenance_of, read_table, remedy
from ..semstat.thermodynamics.energy_grid import GRID
from ..semstat.thermodynamics.states import BlockSums, from_table, merge
from ..semstat.thermodynamics.tables import STATES


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Intervals:
    """How intervals are made, which the configuration has under `curves`.

    Parameters
    ----------
    confidence : coverage of intervals.
    resamples : draws of the errors, from which simultaneous bands are read off.
    seed : seed of all random numbers.
    """

    confidence: float = 0.95
    resamples: int = 400
    seed: int = 0

    def rng(self) -> np.random.Generator:
        """Random numbers from the seed on."""
        return np.random.default_rng(self.seed)


def merged(paths: list[Path], layers: list[int]) -> tuple[dict[int, BlockSums], Provenance]:
    """Sums of each layer over all shards, one shard in memory at a time, and whose they are."""
    sums: dict[int, BlockSums] = {}
    for path in paths:
        table = read_table(path, STATES)
        provenance = provenance_of(table.schema)
        if provenance["grid"] != GRID or not set(layers) <= set(provenance["layers"]):
            raise InputError(
                f"{path}: counted on another energy grid or at other layers; {remedy(path)}"
            )
        for layer in layers:
            part = from_table(table, layer)
            sums[layer] = merge([sums[layer], part]) if layer in sums else part
    return sums, provenance
