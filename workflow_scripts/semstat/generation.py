"""A model's own text: tokens drawn from softmax(logits / sampling temperature), nothing cut off.

The sampling temperature has nothing to do with the temperature T of an ensemble.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


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


def generate(
    model: Any,
    prompt_bt: Tensor,
    sampling_temperature: float,
    uniform_bs: Tensor,
    advance: Callable[[int], object] = lambda _tokens: None,
) -> Tensor:
    """Continue prompts of one length by as many tokens as there are uniform numbers.

    Nothing stops a document early: a token that ends a text is a token like any other. What is
    drawn depends on the batch only through the rounding of the logits.

    Parameters
    ----------
    model : a transformers causal language model in evaluation mode.
    prompt_bt : (documents, tokens) token ids, at least one each, on the model's device.
    uniform_bs : (documents, steps) float64, in [0, 1), on the same device.
    advance : called with the number of tokens that each step has drawn.

    Returns
    -------
    (documents, steps) token ids.
    """
    drawn = []
    with torch.inference_mode():
        cache = None
        if prompt_bt.shape[1] > 1:  # of the prompt, only the last token's logits are wanted
            cache = model.base_model(prompt_bt[:, :-1], use_cache=True).past_key_values
        token_b1 = prompt_bt[:, -1:]
        for uniform_b in uniform_bs.T:
            output = model(token_b1, past_key_values=cache, use_cache=True)
            cache = output.past_key_values
            token_b1 = next_tokens(output.logits[:, -1], sampling_temperature, uniform_b)[:, None]
            drawn.append(token_b1)
            advance(len(token_b1))
    return torch.cat(drawn, dim=1)
