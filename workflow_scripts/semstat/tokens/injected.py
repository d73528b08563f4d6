"""Injected: a text in which units, here and there, stand again so many times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .sentences import sentence_bounds

Tokens = NDArray[np.int32]

LONGEST_SENTENCE = 64
"""Tokens of the longest sentence that is a unit."""


class Injected(NamedTuple):
    """A text with insertions.

    token_t : (tokens,) the prefix token first.
    inserted_t : (tokens,) which of them were inserted.
    """

    token_t: Tokens
    inserted_t: NDArray[np.bool_]


def injected(
    tokens_t: Tokens,
    unit_u2: NDArray[np.int64],
    rate: float,
    copies: tuple[int, int],
    rng: np.random.Generator,
    most_tokens: int | None = None,
    shuffled: bool = False,
) -> Injected:
    """Repeat units of a text, drawn without replacement, right after themselves.

    Each gets a number of further copies, uniform between two bounds; the last one gets what is
    missing from the share asked, rounded down or up at random, so that a text is off by less than
    that unit, and many are not on average. Where all units with the numbers drawn are too few, they
    get the upper bound, in the same order.

    Parameters
    ----------
    tokens_t : (tokens,) the prefix token first.
    unit_u2 : (units, 2) beginning and end of each, as `units_of_tokens` or `sentences` find them.
    rate : share of the text made that is inserted, 0 <= rate < 1; the prefix token is not counted.
    copies : the fewest and the most further copies of a unit.
    most_tokens : of the text made, without prefix: the end of the text given is left out for them.
    shuffled : permute the inserted tokens among themselves. All else is as without.

    Raises
    ------
    ValueError
        If all units with the most copies are too few.
    """
    text = len(tokens_t) - 1
    wanted = round(rate / (1 - rate) * text)
    if most_tokens is not None and text + wanted > most_tokens:
        wanted = round(rate * most_tokens)
        text = most_tokens - wanted
    unit_u2 = unit_u2[unit_u2[:, 1] <= 1 + text]
    copies_u = _draw_copies(unit_u2[:, 1] - unit_u2[:, 0], wanted, copies, rng)
    pieces, inserted, at = [], [], 0
    for u in np.flatnonzero(copies_u):
        begin, end = unit_u2[u]
        pieces += [tokens_t[at:end], np.tile(tokens_t[begin:end], copies_u[u])]
        inserted += [np.zeros(end - at, np.bool_), np.ones(len(pieces[-1]), np.bool_)]
        at = end
    rest_t = tokens_t[at:]
    kept = None if most_tokens is None else 1 + most_tokens
    token_t = np.concatenate([*pieces, rest_t])[:kept]
    inserted_t = np.concatenate([*inserted, np.zeros(len(rest_t), np.bool_)])[:kept]
    if shuffled:
        token_t[inserted_t] = rng.permutation(token_t[inserted_t])
    return Injected(token_t, inserted_t)


def _draw_copies(
    size_u: NDArray[np.int64], wanted: int, copies: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.int64]:
    """(units,) further copies of each, of so many tokens in all."""
    fewest, most = copies
    if most * size_u.sum() < wanted:
        raise ValueError(
            f"has {len(size_u)} units of {size_u.sum()} tokens in all, and {wanted} tokens are to "
            f"be inserted in at most {most} copies of each"
        )
    copies_u = np.zeros_like(size_u)
    order_u = rng.permutation(len(size_u))
    drawn_u = rng.integers(fewest, most, size=len(size_u), endpoint=True)
    turns = [*zip(order_u, drawn_u, strict=True), *zip(order_u, most - drawn_u, strict=True)]
    for u, drawn in turns:
        if wanted < drawn * size_u[u]:
            copies_u[u] += int(wanted / size_u[u] + rng.random())
            break
        copies_u[u] += drawn
        wanted -= int(drawn * size_u[u])
    return copies_u


def units_of_tokens(
    tokens_t: Tokens, unit_tokens: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """(units, 2) beginnings and ends of units of so many tokens, side by side from a drawn one on.

    The prefix token is in none.
    """
    first = 1 + int(rng.integers(unit_tokens))
    begin_u = np.arange(first, len(tokens_t) - unit_tokens + 1, unit_tokens)
    return np.column_stack([begin_u, begin_u + unit_tokens])


def sentences(ends_t: NDArray[np.bool_], most_tokens: int = LONGEST_SENTENCE) -> NDArray[np.int64]:
    """(units, 2) beginnings and ends of a text's whole sentences, the long ones left out.

    Parameters
    ----------
    ends_t : (tokens,) whether each token ends a sentence; the first is the prefix token.
    most_tokens : of a sentence that is a unit.
    """
    bound_b = sentence_bounds(ends_t)
    sentence_u2 = np.column_stack([bound_b[:-1], bound_b[1:]])
    return sentence_u2[np.diff(sentence_u2)[:, 0] <= most_tokens]
