"""What a model writes itself, for objectives that act on it: the sequence level of unlikelihood.

As Welleck et al., "Neural text generation with unlikelihood training", arXiv:1908.04319, in half of
the updates the model goes on by 100 tokens after 50 of text, greedily, and what repeats a 4-gram is
acted on. Theirs are all four tokens of such a 4-gram, sought among the written ones alone, and each
50 tokens of a window are gone on from; ours is the token that completes it, the 4-gram may have
been in the prefix, and a window is gone on from once, after its first tokens.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from .objective import Batch, Objective, Write, require
from .recent import repeated

On = Literal["text", "continuations", "both"]
"""Where a term acts: on text; on what the model writes, in every second update, text then having
cross entropy alone; or on both."""

REPEATED = 4
"""Tokens of a stretch whose repetition is acted on."""


class OnContinuations(Objective):
    """An objective that acts on text, on what the model writes, or on both.

    acts_on : where it acts.
    prefix, written : tokens of each window that stay, and that are written after them.
    """

    acts_on: On
    prefix: int
    written: int

    def require_continuations(self) -> None:
        """Raise ValueError unless these parameters are what they may be."""
        places, acts_on = get_args(On), self.acts_on
        require(acts_on in places, f"acts_on: {acts_on!r} is none of {', '.join(places)}")
        require(self.prefix > 0, f"prefix: {self.prefix} tokens are not enough; at least 1")
        require(self.written > 0, f"written: {self.written} tokens are not enough; at least 1")

    @property
    def rewrites(self) -> int:
        return 0 if self.acts_on == "text" else 2

    @property
    def writes_to(self) -> int:
        return self.prefix + self.written if self.rewrites else 0

    def rewrite(self, ids_xt: Tensor, write: Write) -> Batch:
        return continued(ids_xt, write, self.prefix, self.written)


def continued(ids_xt: Tensor, write: Write, prefix: int, written: int) -> Batch:
    """Windows that go on as the model writes; marked is what it repeats.

    All states count as text: which token is the prefix token is not known here, and no energy of
    these windows is logged.

    Parameters
    ----------
    ids_xt : (windows, tokens + 1) of text.
    prefix, written : tokens of each window that stay, and that are written after them.

    Raises
    ------
    ValueError
        If a window is shorter than the prefix.
    """
    if ids_xt.shape[1] < prefix:
        raise ValueError(
            f"prefix: windows of {ids_xt.shape[1]} tokens have no prefix of {prefix}; "
            "give a longer sequence or a shorter prefix"
        )
    start_xt = ids_xt[:, :prefix]
    ids, second = write(start_xt, written)
    all_xt = torch.cat([start_xt, ids], dim=1)
    marked_xt = repeated(all_xt, REPEATED)[:, 1:]
    marked_xt[:, : prefix - 1] = False
    second_xt = torch.cat([start_xt[:, 1:], second], dim=1)
    return Batch(all_xt, torch.ones_like(marked_xt), marked_xt, second_xt)


def mean_of_marked(batch: Batch, value_xt: Tensor, written: int) -> Tensor:
    """Mean over the written tokens of each window, of which the unmarked count 0."""
    assert batch.marked_xt is not None  # noqa: S101
    return value_xt.masked_fill(~batch.marked_xt, 0.0).sum() / (len(value_xt) * written)
