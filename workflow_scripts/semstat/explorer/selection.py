"""Which states of an ensemble are shown, where they do not all find room."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

STATE_BYTES = 34
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
    drawn_d : (documents,) documents that were drawn, of which all states are listed.
    whole_d : (documents,) documents of which all tokens are shown, these among them.
    ends : of each layer.
    tail : states in each of them at most.
    """

    shown_n: Mask
    drawn_d: Mask
    whole_d: Mask
    ends: list[Ends]
    tail: int


class Lowest:
    """The lowest of numbers that come piece by piece, and where each stands.

    Parameters
    ----------
    keep : of how many one may ask.

    >>> lowest = Lowest(2)
    >>> for piece in ([0.5, -1.0], [0.25, -0.5, 0.0]):
    ...     lowest.add(np.float32(piece), np.arange(len(piece)))
    >>> lowest.first(2)
    (-0.5, array([1, 1]))
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._value_s, self._at_s = np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int64)

    def add(self, value_s: Floats, at_s: Integers) -> None:
        if len(self._value_s) > self._keep:
            below_s = value_s < self._value_s[-1]
            value_s, at_s = value_s[below_s], at_s[below_s]
        value_s = np.concatenate([self._value_s, value_s])
        # One more than are asked for: it tells whether others have the last one's value.
        order_s = np.argsort(value_s, kind="stable")[: self._keep + 1]
        self._value_s, self._at_s = value_s[order_s], np.concatenate([self._at_s, at_s])[order_s]

    def first(self, keep: int) -> tuple[float, Integers]:
        """Up to which value none is missing, NaN if one may be; and where those stand, in order.

        At most `keep` of them, and all where there are no more; those of one value stay together.
        """
        if keep >= len(self._value_s):
            keep = len(self._value_s)
        else:
            keep = int(np.searchsorted(self._value_s, self._value_s[keep]))
        return float(self._value_s[keep - 1]) if keep else np.nan, self._at_s[:keep]


class Tails:
    """The states at both ends of a layer, whose states come piece by piece.

    states : how many have come.
    least, most : energies between which these lie.
    """

    def __init__(self, keep: int) -> None:
        self.states, self.least, self.most = 0, np.inf, -np.inf
        self._low, self._high = Lowest(keep), Lowest(keep)

    def add(self, energy_s: Floats, at_s: Integers) -> None:
        """Take in some states: H, and where each one's last token stands."""
        self.states += len(energy_s)
        self.least = min(self.least, float(energy_s.min(initial=np.inf)))
        self.most = max(self.most, float(energy_s.max(initial=-np.inf)))
        self._low.add(energy_s, at_s)
        self._high.add(-energy_s, at_s)

    def ends(self, keep: int) -> Ends:
        """The ends, of at most so many states each; all that there are, where these are fewer."""
        return Ends(self._low.first(keep)[0], -self._high.first(keep)[0])

    def lowest(self, keep: int) -> Integers:
        """Where those of the lower end stand, the lowest first."""
        return self._low.first(keep)[1]

    def held(self, keep: int) -> Integers:
        """Where those of both ends stand."""
        return np.union1d(self._low.first(keep)[1], self._high.first(keep)[1])


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
    doc_s = _documents_of(at_s, start_d)
    step_n = np.zeros(start_d[-1] + 1, dtype=np.int64)
    np.add.at(step_n, np.maximum(at_s - neighbours, start_d[doc_s] + 1), 1)
    np.add.at(step_n, np.minimum(at_s + max(neighbours, 1) + 1, start_d[doc_s + 1]), -1)
    near_n: Mask = np.cumsum(step_n)[:-1] > 0
    return near_n


def select(
    tails: list[Tails],
    start_d: Integers,
    *,
    tail: int,
    neighbours: int,
    room: float,
    seed: int,
    state_bytes: int = STATE_BYTES,
) -> Selection:
    """Choose what is shown of an ensemble: all of it, where there is room.

    Else the ends of each layer, which get half of the room at most, with the tokens around their
    states. Half of what is left is for the documents of the lowest states, to be read whole: first
    those of the lowest of each layer, then of the second lowest, each that still fits. The rest is
    for whole documents with all of their states, in an order that is drawn at random, as long as
    each next one fits.

    Parameters
    ----------
    tails : of each layer; of as many states as `tail` at least.
    start_d : (documents + 1,) where documents begin.
    tail : states in either end of each layer; halved until they fit.
    neighbours : tokens on either side of such a state.
    room : bytes.
    seed : of the order of documents.
    state_bytes : bytes of a listed state.

    Raises
    ------
    ValueError
        If there is no room for one state at either end.
    """
    layers, documents = len(tails), len(start_d) - 1
    per_token = (TOKEN_BYTES + layers * FIELD_BYTES) * BASE64
    per_state = state_bytes * BASE64
    size_d = np.diff(start_d) * (per_token + layers * per_state)
    if size_d.sum() <= room:
        all_d = np.ones(documents, dtype=bool)
        ends = [Ends(layer.most, layer.least) for layer in tails]
        return Selection(_inner(start_d), all_d, all_d, ends, tail)
    while tail:
        held = [layer.held(tail) for layer in tails]
        near_n = around(np.unique(np.concatenate(held)), start_d, neighbours)
        taken = near_n.sum() * per_token + sum(map(len, held)) * per_state
        if taken <= room / 2:
            break
        tail //= 2
    else:
        raise ValueError(f"{room:.0f} bytes have no room for one state at either end of each layer")
    ends = [layer.ends(tail) for layer in tails]
    left = room - taken
    missing_n = np.concatenate([[0], np.cumsum(_inner(start_d) & ~near_n)])
    read_d = np.zeros(documents, dtype=bool)
    for doc in _in_turn([_documents_of(layer.lowest(tail), start_d) for layer in tails], documents):
        size = (missing_n[start_d[doc + 1]] - missing_n[start_d[doc]]) * per_token
        if taken + size <= room - left / 2:
            read_d[doc] = True
            taken += size
    order_d = np.random.default_rng(seed).permutation(documents)
    fitting = int(np.sum(np.cumsum(size_d[order_d]) <= room - taken))
    drawn_d = np.zeros(documents, dtype=bool)
    drawn_d[order_d[:fitting]] = True
    whole_n = np.repeat(drawn_d | read_d, np.diff(start_d)) & _inner(start_d)
    return Selection(near_n | whole_n, drawn_d, drawn_d | read_d, ends, tail)


def _documents_of(at_s: Integers, start_d: Integers) -> Integers:
    return np.searchsorted(start_d, at_s, side="right") - 1


def _in_turn(documents_l: list[Integers], documents: int) -> Integers:
    """Documents by the least place that they have in any of some lists.

    >>> _in_turn([np.array([3, 3, 1]), np.array([2, 0])], 5)
    array([2, 3, 0, 1])
    """
    place_d = np.full(documents, np.iinfo(np.int64).max)
    for doc_s in documents_l:
        np.minimum.at(place_d, doc_s, np.arange(len(doc_s)))
    named = int(np.sum(place_d < np.iinfo(np.int64).max))
    return np.argsort(place_d, kind="stable")[:named]


def _inner(start_d: Integers) -> Mask:
    """(tokens,) all but the prefix token of each document."""
    inner_n = np.ones(start_d[-1], dtype=bool)
    inner_n[start_d[:-1]] = False
    return inner_n
