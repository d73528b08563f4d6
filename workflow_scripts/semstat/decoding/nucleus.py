"""Nucleus sampling: from the most probable tokens that together hold a given probability."""

from __future__ import annotations

import torch
from torch import Tensor

from ..generation.sampling import Sampling


def nucleus_sampling(mass: float, uniform_xt: Tensor) -> Sampling:
    """Draws among the fewest tokens whose probabilities sum to at least `mass`.

    Holtzman et al., "The curious case of neural text degeneration", arXiv 1904.09751.

    Parameters
    ----------
    uniform_xt : (texts, steps) float64, in [0, 1), on the model's device.
    """

    def cut(_ids_xt: Tensor, logits_xv: Tensor) -> Tensor:
        return logits_xv.masked_fill(~nucleus(logits_xv, mass), -torch.inf)

    return Sampling(1.0, uniform_xt, cut)


def nucleus(logits_xv: Tensor, mass: float) -> Tensor:
    """(texts, vocabulary) bool: the fewest most probable tokens that hold the mass."""
    ranked_xv, token_xv = logits_xv.sort(dim=-1, descending=True)
    p_xv = torch.softmax(ranked_xv.double(), dim=-1)
    before_xv = p_xv.cumsum(dim=-1) - p_xv
    return torch.zeros_like(token_xv, dtype=torch.bool).scatter(1, token_xv, before_xv < mass)
