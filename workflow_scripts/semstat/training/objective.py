"""What every objective of training is: a function of ln p of a few tokens of each state.

A state is a place in a window: its last token is the one read there, its correct token the next.
An objective says which tokens' ln p it needs, and makes a scalar of them. What is asked for first,
ln p of the correct and of the last token, serves the training log too.

An objective may also learn from windows that are not text: from a text window it makes one that
the model continues, or that repeats a phrase. `write` lets it: the greedy choice of the model, and
the runner-up to it, which the energy of a written token takes in the correct one's place.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Windows of an update.

    ids_xt : (windows, tokens + 1) int64 token ids.
    text_xt : (windows, tokens) whether the last token of a state is of the text and not the prefix
        token, so that the state has an energy.
    marked_xt : (windows, tokens) of rewritten windows, else None: whether the objective acts on the
        correct token of a state.
    second_xt : (windows, tokens) of windows that the model continued, else None: the token that it
        found second best; at unmarked states any.
    """

    ids_xt: Tensor
    text_xt: Tensor
    marked_xt: Tensor | None = None
    second_xt: Tensor | None = None

    @property
    def correct_xt(self) -> Tensor:
        """(windows, tokens) the token after each state."""
        return self.ids_xt[:, 1:]

    @property
    def last_xt(self) -> Tensor:
        """(windows, tokens) the token read at each state."""
        return self.ids_xt[:, :-1]


class Written(NamedTuple):
    """What a model wrote, greedily.

    ids_xt : (windows, tokens) the token that was most probable at each step.
    second_xt : (windows, tokens) the one that came second.
    """

    ids_xt: Tensor
    second_xt: Tensor


Write = Callable[[Tensor, int], Written]
"""write(ids_xt, tokens): so many tokens that the model writes after each window."""


class Objective:
    """What a model is trained towards. Objectives are frozen dataclasses of their parameters."""

    @property
    def rewrites(self) -> int:
        """0: it learns from text alone; 2: every second update is of rewritten windows."""
        return 0

    @property
    def writes_to(self) -> int:
        """Tokens of the longest text that it has the model write; 0 if it has none written."""
        return 0

    def wanted(self, batch: Batch) -> Tensor:
        """(windows, tokens, m) tokens whose ln p it needs: correct, last, then its own."""
        return torch.stack([batch.correct_xt, batch.last_xt], dim=-1)

    def loss(self, batch: Batch, log_p_xtm: Tensor) -> Tensor:
        """The scalar to descend, nats.

        Parameters
        ----------
        log_p_xtm : (windows, tokens, m) ln p of the wanted tokens.
        """
        raise NotImplementedError

    def rewrite(self, ids_xt: Tensor, write: Write) -> Batch:
        """Windows of an update that is not of text; all that is drawn hangs on `ids_xt` alone.

        Parameters
        ----------
        ids_xt : (windows, tokens + 1) of text.

        Raises
        ------
        ValueError
            If the windows are too short for it.
        """
        raise NotImplementedError(f"{type(self).__name__} learns from text alone")


def require(holds: bool, message: str) -> None:
    """Raise ValueError with the message unless a parameter is as it must be."""
    if not holds:
        raise ValueError(message)


def require_strength(strength: float) -> None:
    """Raise ValueError unless a term's factor is a number from 0."""
    require(0 <= strength < inf, f"strength: {strength} is not a number from 0")
