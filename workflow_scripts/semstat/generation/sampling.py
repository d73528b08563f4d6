"""The next token drawn at random from the model's distribution.

The sampling temperature has nothing to do with the temperature T of an ensemble.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

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
    return draw(torch.softmax(logits_xv.double() / sampling_temperature, dim=-1), uniform_x)


def draw(p_xv: Tensor, uniform_x: Tensor) -> Tensor:
    """The token of each text at which the cumulative probability first exceeds a number.

    The tokens are summed in stretches first, so that of all but one of them only the sum is
    cumulated; sums are float64. A token of probability 0 is never drawn.

    Parameters
    ----------
    p_xv : (texts, vocabulary) probabilities, up to a factor.
    uniform_x : (texts,) float64, in [0, 1).

    Returns
    -------
    (texts,) int64 token ids.
    """
    lacking = -p_xv.shape[1] % _STRETCH
    padded_xv = pad(p_xv, (0, lacking)) if lacking else p_xv  # which would be a copy
    stretch_xbv = padded_xv.view(len(p_xv), -1, _STRETCH)
    sum_xb = stretch_xbv.sum(dim=2, dtype=torch.float64)
    cumulative_xb = sum_xb.cumsum(dim=1)
    stretch_x, rest_x = _first_beyond(cumulative_xb, sum_xb, uniform_x * cumulative_xb[:, -1])
    among_xv = stretch_xbv[torch.arange(len(p_xv), device=p_xv.device), stretch_x].double()
    within_x, _ = _first_beyond(among_xv.cumsum(dim=1), among_xv, rest_x)
    return stretch_x * _STRETCH + within_x


_STRETCH = 256


def _first_beyond(
    cumulative_xi: Tensor, each_xi: Tensor, wanted_x: Tensor
) -> tuple[Tensor, Tensor]:
    """Index of the first cumulative sum beyond a number, and what is left of the number there."""
    # Rounding may put a number at the whole sum, or past it.
    most_x = torch.nextafter(cumulative_xi[:, -1], torch.zeros_like(wanted_x))
    wanted_x = torch.minimum(wanted_x, most_x)
    at_x1 = torch.searchsorted(cumulative_xi, wanted_x[:, None], right=True)
    before_x1 = (cumulative_xi - each_xi).gather(1, at_x1)
    return at_x1[:, 0], (wanted_x - before_x1[:, 0]).clamp(min=0)


class Sampling:
    """Draws from softmax(logits / sampling temperature).

    Parameters
    ----------
    uniform_xt : (texts, steps) float64, in [0, 1), on the model's device.
    """

    def __init__(self, sampling_temperature: float, uniform_xt: Tensor) -> None:
        self.sampling_temperature = sampling_temperature
        self.uniform = iter(uniform_xt.T)

    def __call__(self, reader: Reader, texts: Texts) -> Choice:
        logits_xv = reader.logits(texts.moment.top_xn)
        token_x = next_tokens(logits_xv, self.sampling_temperature, next(self.uniform))
        return Choice(token_x, logits_xv, texts.moment)
