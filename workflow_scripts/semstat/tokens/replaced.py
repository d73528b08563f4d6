"""Replaced: a text in which something else stands at a few places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]


def places(
    tokens: int, spans: int, length: int, prefix_tokens: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Where spans begin that lie at least their own length apart, all such places alike.

    They depend on nothing else, so that whoever knows these numbers finds them again.

    Parameters
    ----------
    tokens : of the document, with its prefix token.
    spans : how many.
    length : tokens of each.
    prefix_tokens : tokens before the first of them, the prefix token not counted.

    Returns
    -------
    (spans,) ascending.

    Raises
    ------
    ValueError
        If the document is too short.
    """
    needed = 1 + prefix_tokens + (2 * spans - 1) * length
    if tokens < needed:
        raise ValueError(
            f"has {tokens - 1} tokens, and {spans} spans of {length} tokens, as far apart, after "
            f"{prefix_tokens} tokens of text, need {needed - 1}"
        )
    free_s = np.sort(rng.choice(tokens - needed + spans, spans, replace=False))
    begin_s: NDArray[np.int64] = 1 + prefix_tokens + free_s + np.arange(spans) * (2 * length - 1)
    return begin_s


def replaced(
    tokens_t: Tokens,
    begin_s: NDArray[np.int64],
    length: int,
    instead: Callable[[int], NDArray[np.integer]],
) -> Tokens:
    """A text with other tokens in its spans.

    Parameters
    ----------
    tokens_t : (tokens,) the prefix token first.
    begin_s : (spans,) where they begin.
    length : tokens of each.
    instead : from where one begins to the tokens, as many, that stand there.

    Raises
    ------
    ValueError
        If one reads as it did: that would be no anomaly.
    """
    made_t = tokens_t.copy()
    for begin in begin_s.tolist():
        made_t[begin : begin + length] = instead(begin)
        if np.array_equal(made_t[begin : begin + length], tokens_t[begin : begin + length]):
            raise ValueError(f"reads the same from token {begin} on when that span is replaced")
    return made_t


def shuffled(span_t: Tokens, rng: np.random.Generator) -> Tokens:
    """Its tokens in a random order that is not theirs, if there is one."""
    shuffled_t = rng.permutation(span_t)
    while np.array_equal(shuffled_t, span_t) and len(np.unique(span_t)) > 1:
        shuffled_t = rng.permutation(span_t)
    return shuffled_t


def passage(tokens_t: Tokens, length: int, rng: np.random.Generator) -> Tokens:
    """So many tokens of a text, from any of its places, the prefix token left out."""
    begin = rng.integers(1, len(tokens_t) - length, endpoint=True)
    return tokens_t[begin : begin + length]
