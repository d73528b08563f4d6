"""What a shard contributes to every curve and table: sums over blocks of documents, which add."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .energy_grid import BLOCKS, StateCounts, count_states


class BlockSums(NamedTuple):
    """Sums over the states of one ensemble at one layer, by block of documents.

    counts : states on the energy grid.
    energy_sum_b : (blocks,) Σ H, probability.
    energy_min_b : (blocks,) lowest H, probability; +inf in an empty block.
    stutters_b : (blocks,) int64; states whose most probable next token is the last one, wrongly.
    """

    counts: StateCounts
    energy_sum_b: NDArray[np.float64]
    energy_min_b: NDArray[np.float64]
    stutters_b: NDArray[np.int64]

    @property
    def states_b(self) -> NDArray[np.int64]:
        """(blocks,) states of each block."""
        states_b: NDArray[np.int64] = self.counts.counts_be.sum(axis=1)
        return states_b


def sum_states(column: dict[str, NDArray[Any]], edges_e: NDArray[np.float64]) -> BlockSums:
    """Sum the states of an energies table, given as columns.

    Parameters
    ----------
    column : (states,) arrays doc, last, correct, energy and top; all states of a document at once.

    Raises
    ------
    ValueError
        If an energy is NaN or outside [−1, 1].
    """
    block_s = column["doc"] % BLOCKS
    energy_s = column["energy"].astype(np.float64)
    counts = count_states(energy_s, column["doc"], edges_e)
    stutters_s = (column["top"] == column["last"]) & (column["last"] != column["correct"])
    energy_min_b = np.full(BLOCKS, np.inf)
    np.minimum.at(energy_min_b, block_s, energy_s)
    return BlockSums(
        counts,
        np.bincount(block_s, weights=energy_s, minlength=BLOCKS).astype(np.float64),
        energy_min_b,
        np.bincount(block_s[stutters_s], minlength=BLOCKS).astype(np.int64),
    )


def merge(parts: Iterable[BlockSums]) -> BlockSums:
    """The sums of several shards, or of several pieces of one."""
    return reduce(_add, parts)


def _add(a: BlockSums, b: BlockSums) -> BlockSums:
    return BlockSums(
        StateCounts(*(x + y for x, y in zip(a.counts, b.counts, strict=True))),
        a.energy_sum_b + b.energy_sum_b,
        np.minimum(a.energy_min_b, b.energy_min_b),
        a.stutters_b + b.stutters_b,
    )


def to_rows(layer: int, sums: BlockSums) -> list[dict[str, Any]]:
    """Rows of the states table: one a non-empty block."""
    return [
        {
            "layer": layer,
            "block": int(block),
            "states": int(sums.states_b[block]),
            "states_squared": int(sums.counts.squared_b[block]),
            "energy_sum": float(sums.energy_sum_b[block]),
            "energy_min": float(sums.energy_min_b[block]),
            "at_zero": int(sums.counts.at_zero_b[block]),
            "stutters": int(sums.stutters_b[block]),
            "counts": sums.counts.counts_be[block],
        }
        for block in np.flatnonzero(sums.states_b)
    ]


def from_table(table: pa.Table, layer: int) -> BlockSums:
    """Sums of one layer, from a states table; `to_rows` reversed."""
    rows = table.filter(pc.equal(table["layer"], layer)).combine_chunks()
    block = rows["block"].to_numpy()
    edges = len(rows["counts"][0]) if len(rows) else 0
    counts_be = np.zeros((BLOCKS, edges), dtype=np.int64)
    counts_be[block] = rows["counts"].combine_chunks().flatten().to_numpy().reshape(-1, edges)

    def scatter(name: str, empty: float = 0) -> NDArray[Any]:
        column = rows[name].to_numpy()
        column_b = np.full(BLOCKS, empty, dtype=column.dtype)
        column_b[block] = column
        return column_b

    return BlockSums(
        StateCounts(counts_be, scatter("at_zero"), scatter("states_squared")),
        scatter("energy_sum"),
        scatter("energy_min", np.inf),
        scatter("stutters"),
    )
