"""Greedy decoding that may not stutter."""

from __future__ import annotations

import torch
from torch import Tensor

from .processed import Processed
from .stuttering import stuttering


def stutter_block(ngram: int) -> Processed:
    """The most probable token that does not stutter: what steering would do without steering."""

    def process(ids_bt: Tensor, logits_bv: Tensor) -> Tensor:
        return logits_bv.masked_fill(stuttering(ids_bt, logits_bv.shape[1], ngram), -torch.inf)

    return Processed(process)
