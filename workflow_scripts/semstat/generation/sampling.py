"""The next token drawn at random from the model's distribution.

The sampling temperature has nothing to do with the temperature T of an ensemble.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..models.replay import Reader
from .writing import Choice, Texts


def draw_uniform(seed: int, doc: int, steps: int) -> NDArray[np.float64]:
    """(steps,) uniform numbers in [0, 1): those of a document, whatever is generated beside it."""
    return np.random.default_rng([seed, doc]).random(steps)


def next_tokens(logits_bv: Tensor, sampling_temperature: float, uniform_b: Tensor) -> Tensor:
    """The next token of each document: the inverse of the cumulative probability at a number.

    Token i is taken where C_{i−1} <= u < C_i, C being the cumulative sum of
    softmax(logits / sampling temperature) over the vocabulary, in float64.

    Parameters
    ----------
    logits_bv : (documents, vocabulary).
    sampling_temperature : at least 0, which takes the most probable token.
    uniform_b : (documents,) float64, in [0, 1).

    Returns
    -------
    (documents,) int64 token ids.

    Raises
    ------
    FloatingPointError
        If a logit is NaN or infinite.
    """
    if not logits_bv.isfinite().all():
        raise FloatingPointError("NaN or infinite logits")
    if sampling_temperature == 0:
        return logits_bv.argmax(dim=-1)
    p_bv = torch.softmax(logits_bv.double() / sampling_temperature, dim=-1)
    cumulative_bv = p_bv.cumsum(dim=-1)
    wanted_b1 = uniform_b[:, None] * cumulative_bv[:, -1:]  # the sum is 1 up to rounding
    token_b1 = torch.searchsorted(cumulative_bv, wanted_b1, right=True)
    return token_b1[:, 0].clamp(max=logits_bv.shape[1] - 1)


class Sampling:
    """Draws from softmax(logits / sampling temperature), after something is cut off if wanted.

    Parameters
    ----------
    uniform_bs : (texts, steps) float64, in [0, 1), on the model's device.
    cut : (texts, vocabulary) logits → those to draw from, finite; nothing is cut off by default.
    """

    def __init__(
        self,
        sampling_temperature: float,
        uniform_bs: Tensor,
        cut: Callable[[Tensor], Tensor] = lambda logits_bv: logits_bv,
    ) -> None:
        self.sampling_temperature, self.cut = sampling_temperature, cut
        self.uniform = iter(uniform_bs.T)

    def __call__(self, reader: Reader, texts: Texts) -> Choice:
        logits_bv = reader.logits(texts.moment.top_bn)
        among_bv = self.cut(logits_bv)
        token_b = next_tokens(among_bv, self.sampling_temperature, next(self.uniform))
        return Choice(token_b, logits_bv, texts.moment)
