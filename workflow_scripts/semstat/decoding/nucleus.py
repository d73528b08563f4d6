"""Nucleus sampling: from the most probable tokens that together hold a given probability."""

from __future__ import annotations

import torch
from torch import Tensor

from ..generation.sampling import Sampling


def nucleus_sampling(mass: float, uniform_bs: Tensor) -> Sampling:
    """Draws among the fewest tokens whose probabilities sum to at least `mass`.

    Holtzman et al., "The curious case of neural text degeneration", arXiv 1904.09751.

    Parameters
    ----------
    uniform_bs : (texts, steps) float64, in [0, 1), on the model's device.
    """

    def cut(logits_bv: Tensor) -> Tensor:
        lowest = torch.finfo(logits_bv.dtype).min
        return logits_bv.masked_fill(~nucleus(logits_bv, mass), lowest)

    return Sampling(1.0, uniform_bs, cut)


def nucleus(logits_bv: Tensor, mass: float) -> Tensor:
    """(texts, vocabulary) bool: the fewest most probable tokens that hold the mass."""
    ranked_bv, token_bv = logits_bv.sort(dim=-1, descending=True)
    p_bv = torch.softmax(ranked_bv.double(), dim=-1)
    before_bv = p_bv.cumsum(dim=-1) - p_bv
    return torch.zeros_like(token_bv, dtype=torch.bool).scatter(1, token_bv, before_bv < mass)
