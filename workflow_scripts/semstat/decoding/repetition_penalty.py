"""Greedy decoding with a repetition penalty."""

from __future__ import annotations

import torch
from torch import Tensor

from .processed import Processed


def repetition_penalty(penalty: float) -> Processed:
    """Logits of tokens in the text are divided by the penalty, or multiplied where negative.

    Keskar et al., "CTRL", arXiv 1909.05858, section 4.1.
    """

    def process(ids_xt: Tensor, logits_xv: Tensor) -> Tensor:
        seen_xt = logits_xv.gather(1, ids_xt)
        lowered_xt = torch.where(seen_xt < 0, seen_xt * penalty, seen_xt / penalty)
        return logits_xv.scatter(1, ids_xt, lowered_xt)

    return Processed(process)
