"""Steering away from stuttering as a decoding loop for transformers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..generation.writing import Choice, Texts, begin, write
from ..models.decoder import LayeredModel
from ..models.replay import Reader
from .steer_away import SteerAway


class SteeredGenerate:
    """A decoding loop for transformers: `model.generate(ids, custom_generate=SteeredGenerate(…))`.

    It takes the stopping criteria and the logits processors of `generate`, which act after
    steering; the prompts of a batch have one length. It neither samples nor searches beams.

    Parameters
    ----------
    layered : the model, whose weights should not require gradients.
    layer : the layer to steer at.
    ngram, margin, budget : as `SteerAway` takes them.
    """

    def __init__(
        self,
        layered: LayeredModel,
        layer: int,
        ngram: int = 4,
        margin: float = 1.0,
        budget: float = 1.0,
    ) -> None:
        self.reader = Reader(layered, layer)
        self.method = SteerAway(ngram, margin, budget)

    def __call__(
        self,
        model: Any,
        input_ids: Tensor,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **model_kwargs: Any,
    ) -> Tensor:
        """Continue the prompts, as `GenerationMixin.generate` calls a decoding loop."""
        if model is not self.reader.layered.model:
            raise ValueError("this decoding loop was made for another model; make one for this one")
        if generation_config.do_sample or generation_config.num_beams > 1:
            raise ValueError("steering is greedy; set do_sample to False and num_beams to 1")
        attention_mask = model_kwargs.get("attention_mask")
        if attention_mask is not None and not attention_mask.all():
            raise ValueError("prompts of one length are wanted; give those of another one apart")
        unfinished_x = torch.ones_like(input_ids[:, 0], dtype=torch.bool)
        pad = generation_config._pad_token_tensor

        def method(reader: Reader, texts: Texts) -> Choice:
            choice = self.method(reader, texts)
            processed_xv = logits_processor(texts.ids_xt, choice.logits_xv)
            return choice._replace(token_x=processed_xv.argmax(dim=-1))

        for choice in write(self.reader, begin(self.reader, input_ids), method):
            token_x = choice.token_x
            if pad is not None:
                token_x = torch.where(unfinished_x, token_x, pad)
            input_ids = torch.cat([input_ids, token_x[:, None]], dim=1)
            unfinished_x = unfinished_x & ~stopping_criteria(input_ids, None)
            if not unfinished_x.any():
                break
        return input_ids
