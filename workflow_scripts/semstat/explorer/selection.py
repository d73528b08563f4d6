"""Which states of an ensemble are shown, where they do not all find room."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

STATE_BYTES = 30
"""Of a listed state in the page, before it is written as base64."""

FIELD_BYTES = 2
"""Of a state's H at one layer, which colours its token."""

TOKEN_BYTES = 16
"""Of a token: its id, its position, and its share of what tokens are called."""

BASE64 = 4 / 3


class Ends(NamedTuple):
    """Energies up to which, and from which on, no state of a layer is left out; NaN: one may be.

    low, high : energies of the last states that are in.
    """

    low: float
    high: float

    def hold(self, energy_s: Floats) -> Mask:
        """(states,) whether each lies in one of the ends."""
        return (energy_s <= self.low) | (energy_s >= self.high)


class Selection(NamedTuple):
    """What is shown of an ensemble.

    shown_n : (tokens,) tokens that are, of all documents one after the other.
    drawn_d : (documents,) documents that are taken whole.
    ends : of each layer.
    tail : states in each of them at most.
    """

    shown_n: Mask
    drawn_d: Mask
    ends: list[Ends]
    tail: int


def ends_of(energy_s: Floats, keep: int) -> Ends:
    """The ends of a layer, of at most so many states each; those of one energy stay together.

    >>> ends_of(np.float32([0.5, -1, 0.25, -0.5]), 1)
    Ends(low=-1.0, high=0.5)
    >>> ends_of(np.float32([0, 0, 0]), 2)
    Ends(low=nan, high=nan)
    """
    if keep >= len(energy_s):
        return Ends(float(energy_s.max()), float(energy_s.min()))
    other = len(energy_s) - 1 - keep
    parted_s = np.partition(energy_s, (keep, other))
    below_s, above_s = energy_s[energy_s < parted_s[keep]], energy_s[energy_s > parted_s[other]]
    return Ends(
        float(below_s.max()) if len(below_s) else np.nan,
        float(above_s.min()) if len(above_s) else np.nan,
    )


def around(at_s: Integers, start_d: Integers, neighbours: int) -> Mask:
    """(tokens,) tokens that stand near one of some states, in its document, the next one at least.

    Parameters
    ----------
    at_s : (states,) the last tokens of these.
    start_d : (documents + 1,) where documents begin; the first token of each, its prefix, is none.
    neighbours : tokens on either side.

    >>> around(np.array([4]), np.array([0, 3, 8]), 1).astype(int)
    array([0, 0, 0, 0, 1, 1, 0, 0])
    """
    doc_s = np.searchsorted(start_d, at_s, side="right") - 1
    step_n = np.zeros(start_d[-1] + 1, dtype=np.int64)
    np.add.at(step_n, np.maximum(at_s - neighbours, start_d[doc_s] + 1), 1)
    np.add.at(step_n, np.minimum(at_s + max(neighbours, 1) + 1, start_d[doc_s + 1]), -1)
    near_n: Mask = np.cumsum(step_n)[:-1] > 0
    return near_n


def select(
    energy_ls: list[Floats],
    at_s: Integers,
    start_d: Integers,
    *,
    tail: int,
    neighbours: int,
    room: float,
    seed: int,
) -> Selection:
    """Choose what is shown of an ensemble: all of it, where there is room.

    Else the ends of each layer, which get half of the room at most, with the tokens around their
    states; and for the rest whole documents, in an order that is drawn at random, as long as each
    next one fits.

    Parameters
    ----------
    energy_ls : (states,) H at each layer.
    at_s : (states,) where states' last tokens stand among those of all documents.
    start_d : (documents + 1,) where documents begin.
    tail : states in either end of each layer; halved until they fit.
    neighbours : tokens on either side of such a state.
    room : bytes.
    seed : of the order of documents.

    Raises
    ------
    ValueError
        If there is no room for one state at either end.
    """
    layers, documents = len(energy_ls), len(start_d) - 1
    per_token = (TOKEN_BYTES + layers * FIELD_BYTES) * BASE64
    per_state = STATE_BYTES * BASE64
    size_d = np.diff(start_d) * (per_token + layers * per_state)
    if size_d.sum() <= room:
        ends = [ends_of(energy_s, len(energy_s)) for energy_s in energy_ls]
        return Selection(_inner(start_d), np.ones(documents, dtype=bool), ends, tail)
    while tail:
        ends = [ends_of(energy_s, tail) for energy_s in energy_ls]
        held_ls = [end.hold(energy_s) for end, energy_s in zip(ends, energy_ls, strict=True)]
        near_n = around(at_s[np.any(held_ls, axis=0)], start_d, neighbours)
        taken = near_n.sum() * per_token + np.sum(held_ls) * per_state
        if taken <= room / 2:
            break
        tail //= 2
    else:
        raise ValueError(f"{room:.0f} bytes have no room for one state at either end of each layer")
    order_d = np.random.default_rng(seed).permutation(documents)
    fitting = int(np.sum(np.cumsum(size_d[order_d]) <= room - taken))
    drawn_d = np.zeros(documents, dtype=bool)
    drawn_d[order_d[:fitting]] = True
    whole_n = np.repeat(drawn_d, np.diff(start_d)) & _inner(start_d)
    return Selection(near_n | whole_n, drawn_d, ends, tail)


def _inner(start_d: Integers) -> Mask:
    """(tokens,) all but the prefix token of each document."""
    inner_n = np.ones(start_d[-1], dtype=bool)
    inner_n[start_d[:-1]] = False
    return inner_n
