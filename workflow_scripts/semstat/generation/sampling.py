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


def next_tokens(logits_xv: Tensor, sampling_temperature: float, uniform_x: Tensor) -> Tensor:
    """The next token of each document: the inverse of the cumulative probability at a number.

    Token i is taken where C_{i−1} <= u < C_i, C being the cumulative sum of
    softmax(logits / sampling temperature) over the vocabulary, in float64.

    Parameters
    ----------
    logits_xv : (documents, vocabulary).
    sampling_temperature : at least 0, which takes the most probable token.
    uniform_x : (documents,) float64, in [0, 1).

    Returns
    -------
    (documents,) int64 token ids.

    Raises
    ------
    FloatingPointError
        If a logit is NaN or infinite.
    """
    if not logits_xv.isfinite().all():
        raise FloatingPointError("NaN or infinite logits")
    if sampling_temperature == 0:
        return logits_xv.argmax(dim=-1)
    p_xv = torch.softmax(logits_xv.double() / sampling_temperature, dim=-1)
    cumulative_xv = p_xv.cumsum(dim=-1)
    wanted_x1 = uniform_x[:, None] * cumulative_xv[:, -1:]  # the sum is 1 up to rounding
    token_x1 = torch.searchsorted(cumulative_xv, wanted_x1, right=True)
    return token_x1[:, 0].clamp(max=logits_xv.shape[1] - 1)


class Sampling:
    """Draws from softmax(logits / sampling temperature), after something is cut off if wanted.

    Parameters
    ----------
    uniform_xt : (texts, steps) float64, in [0, 1), on the model's device.
    cut : (texts, vocabulary) logits → those to draw from, finite; nothing is cut off by default.
    """

    def __init__(
        self,
        sampling_temperature: float,
        uniform_xt: Tensor,
        cut: Callable[[Tensor], Tensor] = lambda logits_xv: logits_xv,
    ) -> None:
        self.sampling_temperature, self.cut = sampling_temperature, cut
        self.uniform = iter(uniform_xt.T)

    def __call__(self, reader: Reader, texts: Texts) -> Choice:
        logits_xv = reader.logits(texts.moment.top_xn)
        among_xv = self.cut(logits_xv)
        token_x = next_tokens(among_xv, self.sampling_temperature, next(self.uniform))
        return Choice(token_x, logits_xv, texts.moment)
