"""Beam search, as transformers has it."""

from __future__ import annotations

import torch
import transformers
from torch import Tensor

from ..models.decoder import LayeredModel


def search_beams(layered: LayeredModel, prompt_xt: Tensor, steps: int, beams: int) -> Tensor:
    """The most probable text of so many tokens that a search with so many beams finds.

    Nothing ends a text early, so that all have one length, and none is favoured for its own.

    Parameters
    ----------
    prompt_xt : (texts, tokens) token ids, at least one each, on the model's device.

    Returns
    -------
    (texts, steps) token ids.
    """
    model = layered.model
    config = transformers.GenerationConfig(
        num_beams=beams, do_sample=False, max_new_tokens=steps, eos_token_id=None, pad_token_id=0
    )
    own, model.generation_config = model.generation_config, config  # which would fill in its own
    try:
        mask_xt = torch.ones_like(prompt_xt)
        found_xt: Tensor = model.generate(
            prompt_xt, attention_mask=mask_xt, generation_config=config
        )
    finally:
        model.generation_config = own
    return found_xt[:, prompt_xt.shape[1] :]
