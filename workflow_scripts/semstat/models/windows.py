"""Cut documents into windows, and windows into batches of like length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .first_state import FIRST_STATE

BATCH_TOKENS = {"cpu": 2048, "cuda": 16384}
"""Positions in one forward pass, unless told otherwise."""

BUFFERED_BATCHES = 32
"""Batches whose windows are sorted by length together; bounds the memory of a shard."""


@dataclass(frozen=True)
class Window:
    """A stretch of one document, as the model sees it.

    doc : document.
    start : index in the document of the window's first token.
    tokens_t : (positions + 1,) token ids; the last one is only ever a correct next token.
    first : offset in the window of the first state scored here; those before it are history
        that an earlier window scored.
    """

    doc: int
    start: int
    tokens_t: NDArray[np.int32]
    first: int

    @property
    def positions(self) -> int:
        return len(self.tokens_t) - 1

    @property
    def states(self) -> int:
        return self.positions - self.first


def cut_windows(
    doc: int, tokens_t: NDArray[np.int32], context: int, stride: int
) -> Iterator[Window]:
    """Cut one document into windows of at most `context` positions, `stride` apart.

    Every state is scored once, in the earliest window that holds it: the one in which it has
    the longest history. States begin at the first token of text: at the prefix token all documents
    are in the same state.

    >>> [(w.start, w.first, w.states) for w in cut_windows(0, np.arange(11), 6, 4)]
    [(0, 1, 5), (4, 2, 4)]

    Parameters
    ----------
    tokens_t : (tokens,) at least `FEWEST_TOKENS`; the first is the prefix token.
    context : positions that the model sees at once.
    stride : positions between window starts, at most `context`.
    """
    positions = len(tokens_t) - 1
    scored = FIRST_STATE
    for start in range(0, positions, stride):
        end = min(start + context, positions)
        if end > scored:  # a window of the prefix token alone holds no state
            yield Window(doc, start, tokens_t[start : end + 1], scored - start)
            scored = end
        if end == positions:
            return


def pad_windows(
    windows: Sequence[Window],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Windows as one batch, padded at the end with token 0.

    Returns
    -------
    ids_bt : (windows, positions + 1) token ids.
    scored_bt : (windows, positions) which positions are states scored here.
    """
    widest = max(window.positions for window in windows)
    ids_bt = np.zeros((len(windows), widest + 1), dtype=np.int64)
    for row, window in zip(ids_bt, windows, strict=True):
        row[: window.positions + 1] = window.tokens_t
    offset_t = np.arange(widest)
    first_b = np.array([window.first for window in windows])
    length_b = np.array([window.positions for window in windows])
    return ids_bt, (offset_t >= first_b[:, None]) & (offset_t < length_b[:, None])


def shuffled_predecessors(windows: Sequence[Window]) -> NDArray[np.int64]:
    """Which position comes before each one when the positions of a window are put in random order.

    The order is one round trip through all positions but the document's prefix token, and depends
    on the document and the window's start only.

    Returns
    -------
    (windows, positions) offset in the window of another position, or of the position itself where
    there is none: at the prefix token, in padding, and if no other is left.
    """
    widest = max(window.positions for window in windows)
    before_bt = np.tile(np.arange(widest), (len(windows), 1))
    for row, window in zip(before_bt, windows, strict=True):
        order = np.arange(window.start == 0, window.positions)
        np.random.default_rng([window.doc, window.start]).shuffle(order)
        row[order] = np.roll(order, 1)
    return before_bt


def buffer_windows(windows: Iterable[Window], batch_tokens: int) -> Iterator[list[Window]]:
    """Group consecutive windows into buffers of about `BUFFERED_BATCHES` batches each."""
    buffer: list[Window] = []
    held = 0
    for window in windows:
        buffer.append(window)
        held += window.positions
        if held >= BUFFERED_BATCHES * batch_tokens:
            yield buffer
            buffer, held = [], 0
    if buffer:
        yield buffer


def batch_windows(windows: Sequence[Window], batch_tokens: int) -> list[list[int]]:
    """Batches of like length whose padded size keeps to the token budget.

    A window longer than the budget makes a batch of its own.

    Returns
    -------
    indices into `windows`, a list a batch, longest windows first (so that a batch too large for
    the memory shows at once).
    """
    batches: list[list[int]] = []
    widest = 0
    for index in sorted(range(len(windows)), key=lambda i: -windows[i].positions):
        if not batches or (len(batches[-1]) + 1) * widest > batch_tokens:
            batches.append([])
            widest = windows[index].positions
        batches[-1].append(index)
    return batches
