"""The energy grid, and the counts of states on it.

The grid is fine where the physics is: near H = 0, where most states of a trained model lie
(the median |H| of an inner layer can be 1e-14), and near H = ±1, where a confident layer
piles them up. Counts on the grid are sufficient for every curve and merge by addition, so
10⁹ states cost no more memory than 10³.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCKS = 256
"""Blocks of documents. Of so many documents, each is a block; of more, a block has several."""

SMALLEST = 1e-6
"""Smallest |energy| that the grid resolves, and smallest distance from ±1."""

PER_DECADE = 20
"""Grid points per decade of |energy|, and per decade of the distance from ±1."""


def energy_edges() -> NDArray[np.float64]:
    """Grid points E_e, ascending and symmetric about 0.

    Log-spaced in |E| from `SMALLEST` to 1/2, log-spaced in 1 − |E| from 1/2 to `SMALLEST`.
    0, ±0.1, ±0.5 and ±1 are grid points, so that Ω there is exact.

    Returns
    -------
    (edges,) float64, from −1 to 1.
    """
    decades = round(-np.log10(SMALLEST))
    log_spaced = 10.0 ** (np.arange(-decades * PER_DECADE, 0) / PER_DECADE)
    near_zero = np.append(log_spaced[log_spaced < 0.499], 0.5)
    positive = np.concatenate([near_zero, 1 - near_zero[-2::-1], [1.0]])
    return np.concatenate([-positive[::-1], [0.0], positive])


class StateCounts(NamedTuple):
    """States of one ensemble at one layer, counted in energy and in blocks of documents.

    counts_be : (blocks, edges) int64; states with E_{e−1} < H ≤ E_e, and with H ≤ −1 at e = 0.
        The row sums of the cumulated counts are therefore exact values of Ω at every E_e.
    at_zero_b : (blocks,) int64; states with H = 0 exactly, which counts_be includes.
    squared_b : (blocks,) int64; Σ over documents of (states of the document)², which is what tells
        how few documents carry a block.
    """

    counts_be: NDArray[np.int64]
    at_zero_b: NDArray[np.int64]
    squared_b: NDArray[np.int64]


def count_states(
    energy_s: NDArray[np.floating], doc_s: NDArray[np.integer], edges_e: NDArray[np.float64]
) -> StateCounts:
    """Count states by document block and by energy.

    A document's block is its number modulo `BLOCKS`: equal shares, without the luck of a hash.

    Parameters
    ----------
    energy_s : (states,) energies H in [−1, 1].
    doc_s : (states,) number of each state's document, from 0; all states of a document at once.
    edges_e : (edges,) the grid of `energy_edges`.

    Raises
    ------
    ValueError
        If an energy is NaN or outside [−1, 1].
    """
    energy_s = np.asarray(energy_s, dtype=np.float64)
    if not np.all(np.abs(energy_s) <= 1):
        wrong = energy_s[~(np.abs(energy_s) <= 1)][0]
        raise ValueError(f"energy {wrong} is outside [-1, 1]")
    cell_s = np.searchsorted(edges_e, energy_s, side="left")
    block_s = doc_s % BLOCKS
    flat = np.bincount(block_s * len(edges_e) + cell_s, minlength=BLOCKS * len(edges_e))
    at_zero_b = np.bincount(block_s[energy_s == 0], minlength=BLOCKS)
    doc_d, states_d = np.unique(doc_s, return_counts=True)
    squared_b = np.zeros(BLOCKS, dtype=np.int64)
    np.add.at(squared_b, doc_d % BLOCKS, states_d**2)
    return StateCounts(
        flat.reshape(BLOCKS, -1).astype(np.int64), at_zero_b.astype(np.int64), squared_b
    )


GRID = {
    "smallest": SMALLEST,
    "per_decade": PER_DECADE,
    "points": len(energy_edges()),
    "blocks": BLOCKS,
}
"""What tells one grid from another, in the provenance of counts."""
