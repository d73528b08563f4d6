"""DRY ("don't repeat yourself"): the longer the repetition that a token would lengthen, the worse.

By p-e-w, text-generation-webui, pull request 5677; llama.cpp has it too. Both also have tokens,
such as a line's end, beyond which no repetition is looked for; here there are none.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .processed import Process

MOST = 1e30
"""By how much a logit is lowered at most: a finite float32."""


def dry(multiplier: float, base: float, allowed_length: int) -> Process:
    """Lowers logits by multiplier · base^(n − allowed length), for n of at least that.

    n is the number of tokens at the end of the text that stand before an earlier copy of the token,
    too: the repetition that it would lengthen; of several the longest counts.
    """

    def process(ids_xt: Tensor, logits_xv: Tensor) -> Tensor:
        length_xt = repeated_before(ids_xt).to(torch.float64)
        lowered_xt = multiplier * torch.pow(base, length_xt - allowed_length)
        lowered_xt = lowered_xt.clamp(max=MOST).masked_fill(length_xt < allowed_length, 0.0)
        lowered_xv = torch.zeros_like(logits_xv).scatter_reduce(
            1, ids_xt, lowered_xt.to(logits_xv), "amax"
        )
        return logits_xv - lowered_xv

    return process


def repeated_before(ids_xt: Tensor) -> Tensor:
    """(texts, tokens) how many tokens before each one are those at the end of the text."""
    length_xt = torch.zeros_like(ids_xt)
    alike_xt = torch.ones_like(ids_xt, dtype=torch.bool)
    for n in range(1, ids_xt.shape[1]):
        # Token t goes on where tokens t − n and −n are the same.
        alike_xt[:, :n] = False
        alike_xt[:, n:] &= ids_xt[:, :-n] == ids_xt[:, -n, None]
        if not alike_xt.any():
            break
        length_xt += alike_xt
    return length_xt
