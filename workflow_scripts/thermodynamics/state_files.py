"""State counts as the commands after counting take them."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..semstat.errors import InputError
from ..semstat.tables import Provenance, provenance_of, read_table, remedy
from ..semstat.thermodynamics.energy_grid import GRID
from ..semstat.thermodynamics.states import BlockSums, from_table, merge
from ..semstat.thermodynamics.tables import STATES


def add_interval_options(parser: argparse.ArgumentParser) -> None:
    """Options of the intervals, which the configuration has under `curves`."""
    parser.add_argument("--confidence", type=float, default=0.95, help="coverage of intervals")
    parser.add_argument("--resamples", type=int, default=400, help="resamples of the blocks")
    parser.add_argument("--seed", type=int, default=0, help="seed of all random numbers")


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
