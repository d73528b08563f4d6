"""Tokens that a window has had lately: what may be repeated at a state."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .objective import Batch


class Recent(NamedTuple):
    """The last tokens at each state, newest first.

    ids_xtk : (windows, tokens, k) of them; the first is the last token itself.
    wrong_xtk : (windows, tokens, k) whether one would be a wrong repetition: it is of the window's
        text, is not the correct token, and has not been met nearer to the state. So what is true
        are distinct tokens.
    """

    ids_xtk: Tensor
    wrong_xtk: Tensor


def recent(batch: Batch, most: int | None = None) -> Recent:
    """The `most` last tokens at each state, or all that the window has had.

    Tokens of a document that ended in the window count for the next one: the model reads them.
    """
    tokens = batch.last_xt.shape[1]
    place_t = torch.arange(tokens, device=batch.ids_xt.device)
    place_tk = place_t[:, None] - place_t[None, : tokens if most is None else most]
    inside_tk = place_tk >= 0
    place_tk = place_tk.clamp(min=0)
    ids_xtk = batch.last_xt[:, place_tk]
    newest_xtk = _again(batch.last_xt)[:, place_tk] > place_t[:, None]
    wrong_xtk = inside_tk & batch.text_xt[:, place_tk] & newest_xtk
    return Recent(ids_xtk, wrong_xtk & (ids_xtk != batch.correct_xt[..., None]))


def _again(ids_xt: Tensor) -> Tensor:
    """(windows, tokens) where each token comes next; beyond the window, where it never does."""
    order_xt = ids_xt.argsort(dim=1, stable=True)
    sorted_xt = ids_xt.gather(1, order_xt)
    next_xt = order_xt[:, 1:].masked_fill(sorted_xt[:, 1:] != sorted_xt[:, :-1], ids_xt.shape[1])
    last_x1 = next_xt.new_full((len(ids_xt), 1), ids_xt.shape[1])
    return torch.empty_like(ids_xt).scatter_(1, order_xt, torch.cat([next_xt, last_x1], dim=1))


def repeated(ids_xt: Tensor, length: int) -> Tensor:
    """(windows, tokens) whether a token completes a stretch of so many that came before.

    The two may overlap: in "a a a a a" the last token repeats four.
    """
    tokens = ids_xt.shape[1]
    ends = tokens - length + 1
    repeated_xt = torch.zeros_like(ids_xt, dtype=torch.bool)
    if ends > 0:
        same_xtt = ids_xt[:, :, None] == ids_xt[:, None, :]
        both_xtt = same_xtt[:, :ends, :ends].clone()
        for i in range(1, length):
            both_xtt &= same_xtt[:, i : ends + i, i : ends + i]
        repeated_xt[:, length - 1 :] = both_xtt.tril(diagonal=-1).any(dim=2)
    return repeated_xt
