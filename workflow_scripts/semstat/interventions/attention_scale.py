"""The intervention `attention_scale`: logits of attention multiplied by a number."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from ..models.intervening import OfAttention, require


@dataclass(frozen=True)
class AttentionScale(OfAttention):
    """Attention softmax(β x) where the model has softmax(x); x has its biases and its soft cap.

    A large β lets each row of attention collapse onto one token, a small one makes it uniform.

    Parameters
    ----------
    scale : β.
    layers : where, all by default.
    heads : where else, as (layer, head).

    Raises
    ------
    ValueError
        If β is no number above 0, or if both layers and heads are named.
    """

    scale: float
    layers: tuple[int, ...] = ()
    heads: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        require(0 < self.scale < inf, f"scale: {self.scale} is not a number above 0; correct it")
        require(
            not (self.layers and self.heads),
            "heads: name their layer themselves; leave `layers` out",
        )

    def factor(self) -> float:
        return float(self.scale)
