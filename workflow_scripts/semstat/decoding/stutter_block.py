"""Decoding that may not stutter."""

from __future__ import annotations

import torch
from torch import Tensor

from .processed import Process
from .stuttering import stuttering


def stutter_block(ngram: int) -> Process:
    """Refuses what stutters: what steering would do without steering."""

    def process(ids_xt: Tensor, logits_xv: Tensor) -> Tensor:
        return logits_xv.masked_fill(stuttering(ids_xt, logits_xv.shape[1], ngram), -torch.inf)

    return process
