"""Ensembles made of a document: what energies look like when it means nothing, or stutters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]


@dataclass(frozen=True)
class Recipe:
    """What ensembles are made by, beside the document and random numbers.

    vocabulary : tokens to draw from.
    ends_sentence : (tokens,) ids → (tokens,) whether each ends a sentence.
    prefix_tokens : real tokens kept before a repetition, the prefix token not counted.
    unit_tokens : tokens of the unit repeated; None for a sentence.
    copies : how often the unit stands there, at least once.
    """

    vocabulary: int
    ends_sentence: Callable[[Tokens], NDArray[np.bool_]]
    prefix_tokens: int = 0
    unit_tokens: int | None = 1
    copies: int = 1


def shuffled(tokens_t: Tokens, _recipe: Recipe, rng: np.random.Generator) -> Tokens:
    """The document's own tokens in random order; the prefix token stays first."""
    return np.concatenate([tokens_t[:1], rng.permutation(tokens_t[1:])])


def uniform(tokens_t: Tokens, recipe: Recipe, rng: np.random.Generator) -> Tokens:
    """As many tokens, drawn uniformly from the vocabulary; the prefix token stays first."""
    drawn = rng.integers(recipe.vocabulary, size=len(tokens_t) - 1, dtype=np.int32)
    return np.concatenate([tokens_t[:1], drawn])


def repeated(tokens_t: Tokens, recipe: Recipe, _rng: np.random.Generator) -> Tokens:
    """The document's start, its next unit so many times, and the token that really follows it.

    The last state's correct token is thus what the text goes on with, however often the unit was
    repeated before. One copy is the text itself, cut after that token. The start of a repeated
    sentence runs on to the end of the sentence that it is in.

    Returns
    -------
    (1 + prefix tokens + copies × unit tokens + 1,)

    Raises
    ------
    ValueError
        If the document ends before the token that follows the unit.
    """
    start = 1 + recipe.prefix_tokens
    if recipe.unit_tokens is None:
        bounds = [1, *(np.flatnonzero(recipe.ends_sentence(tokens_t)) + 1)]
        missing = len(tokens_t)
        start, end, *_ = [*(at for at in bounds if at >= start), missing, missing]
    else:
        end = start + recipe.unit_tokens
    if end >= len(tokens_t):
        unit = "sentence" if recipe.unit_tokens is None else f"unit of {recipe.unit_tokens} tokens"
        raise ValueError(
            f"ends ({len(tokens_t) - 1} tokens) before a whole {unit} and one more token have "
            f"followed its first {recipe.prefix_tokens} tokens"
        )
    copies = np.tile(tokens_t[start:end], recipe.copies)
    return np.concatenate([tokens_t[:start], copies, tokens_t[end : end + 1]])


ENSEMBLES: dict[str, Callable[[Tokens, Recipe, np.random.Generator], Tokens]] = {
    "shuffled": shuffled,
    "uniform": uniform,
    "repeated": repeated,
}
