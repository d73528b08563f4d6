"""Mirostat 2 (Basu et al., arXiv 2007.14966), as its authors' code and llama.cpp have it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..runs import Look, Method, Step


class Mirostat(Method):
    """Cut off tokens whose surprisal is above μ, and move μ towards the surprisal wanted.

    After each token μ ← μ − η (surprisal − τ), in bits, the surprisal being that under what was
    drawn from.

    Parameters
    ----------
    surprise : τ, surprisal wanted, bits.
    rate : η.
    """

    def __init__(self, surprise: float = 3.0, rate: float = 1.0) -> None:
        self.surprise, self.rate = surprise, rate
        self.most_dr: Tensor | None = None

    def sampling_temperature(self, _step: int, look: Look) -> Tensor:
        return torch.ones_like(look.entropy_dr)

    def kept(self, look: Look) -> Tensor:
        if self.most_dr is None:
            self.most_dr = torch.full_like(look.entropy_dr, 2 * self.surprise)
        bits_drv = (look.log_normaliser_dr[..., None] - look.shifted_drv) / math.log(2)
        # The most probable token, whose shifted logit is 0, always stays.
        return (bits_drv <= self.most_dr[..., None]) | (look.shifted_drv == 0)

    def observe(self, step: Step, p_drv: Tensor) -> None:
        assert self.most_dr is not None  # noqa: S101
        bits_dr = -p_drv.gather(2, step.token[..., None])[..., 0].log2()
        self.most_dr = self.most_dr - self.rate * (bits_dr - self.surprise)
