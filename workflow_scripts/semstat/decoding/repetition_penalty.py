"""Greedy decoding with a repetition penalty."""

from __future__ import annotations

import torch
from torch import Tensor

from .processed import Processed


def repetition_penalty(penalty: float) -> Processed:
    """Logits of tokens in the text are divided by the penalty, or multiplied where negative.

    Keskar et al., "CTRL", arXiv 1909.05858, section 4.1.
    """

    def process(ids_bt: Tensor, logits_bv: Tensor) -> Tensor:
        seen_bt = logits_bv.gather(1, ids_bt)
        lowered_bt = torch.where(seen_bt < 0, seen_bt * penalty, seen_bt / penalty)
        return logits_bv.scatter(1, ids_bt, lowered_bt)

    return Processed(process)
