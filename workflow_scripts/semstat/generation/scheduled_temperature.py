"""A schedule of sampling temperatures as transformers' `generate` takes it."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import LogitsProcessor


class ScheduledTemperature(LogitsProcessor):
    """Divides logits by the sampling temperature of the position, in transformers' `generate`.

    `generate` must be told `do_sample=True, temperature=1.0, top_k=0, top_p=1.0` beside it: where
    the schedule was found nothing was cut off, as transformers (50 tokens) and many models do. It
    must also be given an `attention_mask`, or it leaves out a prefix token that is for padding too.

    Parameters
    ----------
    sampling_temperature : by position, as in a `ScheduleFile`; all positive.
    prompt_tokens : tokens of the prompt, the prefix token counted: position 0 comes after them.

    Examples
    --------
    >>> import torch
    >>> processor = ScheduledTemperature([2.0, 0.5], prompt_tokens=3)
    >>> processor(torch.zeros((1, 3), dtype=torch.long), torch.tensor([[1.0, 3.0]]))
    tensor([[0.5000, 1.5000]])
    """

    def __init__(self, sampling_temperature: list[float], prompt_tokens: int) -> None:
        if not all(value > 0 for value in sampling_temperature):
            raise ValueError("sampling temperatures must be positive; for 0 set do_sample to False")
        self.temperature_t = torch.tensor(sampling_temperature)
        self.prompt_tokens = prompt_tokens

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """(texts, vocabulary) logits over the sampling temperature.

        Raises
        ------
        ValueError
            If there are fewer tokens than the prompt is said to have.
        """
        position = min(input_ids.shape[1] - self.prompt_tokens, len(self.temperature_t) - 1)
        if position < 0:
            raise ValueError(
                f"the text has {input_ids.shape[1]} tokens, and its prompt {self.prompt_tokens}"
            )
        return scores / float(self.temperature_t[position])
