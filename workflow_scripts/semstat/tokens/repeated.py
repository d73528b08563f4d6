"""Repeated: a document in which a few tokens or a sentence stand many times, as in a stutter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .sentences import sentence_bounds

Tokens = NDArray[np.int32]


def repeated(tokens_t: Tokens, unit: slice, copies: int) -> Tokens:
    """The document's start, its next unit so many times, and the token that really follows it.

    The last state's correct token is thus what the text goes on with, however often the unit was
    repeated before. One copy is the text itself, cut after that token.

    Parameters
    ----------
    tokens_t : (tokens,) the prefix token first.
    unit : where the unit stands, as `unit_of_tokens` or `unit_of_sentence` finds it.
    copies : how often it is to stand there, at least once.

    Returns
    -------
    (start + copies × unit + 1,)
    """
    copied = np.tile(tokens_t[unit], copies)
    return np.concatenate([tokens_t[: unit.start], copied, tokens_t[unit.stop : unit.stop + 1]])


def unit_of_tokens(tokens_t: Tokens, prefix_tokens: int, unit_tokens: int) -> slice:
    """So many tokens, after so many real ones; the prefix token is not counted.

    Raises
    ------
    ValueError
        If the document ends before the token that follows the unit.
    """
    start = 1 + prefix_tokens
    if start + unit_tokens >= len(tokens_t):
        raise _too_short(tokens_t, prefix_tokens, f"unit of {unit_tokens} tokens")
    return slice(start, start + unit_tokens)


def unit_of_sentence(tokens_t: Tokens, prefix_tokens: int, ends_t: NDArray[np.bool_]) -> slice:
    """The first whole sentence after so many real tokens; the prefix token is not counted.

    Parameters
    ----------
    ends_t : (tokens,) whether each token ends a sentence.

    Raises
    ------
    ValueError
        As `unit_of_tokens` does.
    """
    bounds = sentence_bounds(ends_t)
    bounds = bounds[bounds >= 1 + prefix_tokens]
    if len(bounds) < 2 or bounds[1] >= len(tokens_t):
        raise _too_short(tokens_t, prefix_tokens, "sentence")
    return slice(*bounds[:2].tolist())


def _too_short(tokens_t: Tokens, prefix_tokens: int, unit: str) -> ValueError:
    return ValueError(
        f"ends ({len(tokens_t) - 1} tokens) before a whole {unit} and one more token have "
        f"followed its first {prefix_tokens} tokens"
    )
