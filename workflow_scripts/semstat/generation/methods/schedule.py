"""A sampling temperature for each position, fixed beforehand; a constant is one of them."""

from __future__ import annotations

import torch
from torch import Tensor

from ..runs import Look, Method


class Schedule(Method):
    """Sampling temperatures by position, the last one from there on.

    Parameters
    ----------
    temperature_t : (positions,) for all prompts, or (positions, prompts), at least 0; 0 takes the
        most probable token. Position 0 is that of the first token to be written.
    """

    def __init__(self, temperature_t: Tensor) -> None:
        self.temperature_t = temperature_t

    def sampling_temperature(self, step: int, look: Look) -> Tensor:
        # To the device once: a copy at each step would be waited for.
        self.temperature_t = self.temperature_t.to(look.entropy_dr)
        now = self.temperature_t[min(step, len(self.temperature_t) - 1)]
        prompts, runs = look.entropy_dr.shape
        return now.reshape(-1, 1).expand(prompts, runs)


def constant(sampling_temperature: float) -> Schedule:
    """One sampling temperature at all positions."""
    return Schedule(torch.tensor([sampling_temperature]))
