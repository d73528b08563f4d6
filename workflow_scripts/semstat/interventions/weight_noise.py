"""The intervention `weight_noise`: the control of any damage."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor

from ..models.intervening import Intervention, blocks_at, check_layers, require


@dataclass(frozen=True)
class WeightNoise(Intervention):
    """Gaussian noise on the matrices of the blocks: W + σ rms(W) ε, each with its own rms.

    Embedding, unembedding, norms and biases stay, so that states are read out as before. Noise of a
    matrix depends on the seed and its name alone: on no device, precision or other matrix. Of a
    stack of matrices (experts) each has its own rms.

    Parameters
    ----------
    noise : σ, relative to the root mean square of a matrix's weights.
    layers : where, all by default.
    seed : of ε.

    Raises
    ------
    ValueError
        If σ is no number above 0.
    """

    noise: float
    layers: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        require(0 < self.noise < inf, f"noise: {self.noise} is not a number above 0; correct it")

    def check(self, config: Any) -> None:
        check_layers(self.layers, config)

    def apply(self, model: Any) -> None:
        blocks = blocks_at(model, self.layers)
        wanted = {id(weight) for block in blocks for weight in block.parameters()}
        for name, weight in model.named_parameters():
            if id(weight) in wanted and weight.dim() > 1:
                self._disturb(name, weight.data)

    def _disturb(self, name: str, weight: Tensor) -> None:
        drawn = hashlib.sha256(f"{self.seed} {name}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(drawn[:8]) >> 1)
        noise = torch.randn(weight.shape, generator=generator).to(weight.device)
        wide = weight.to(torch.promote_types(weight.dtype, torch.float32))
        rms = wide.square().mean(dim=(-2, -1), keepdim=True).sqrt()
        weight.copy_(wide + self.noise * rms * noise)
