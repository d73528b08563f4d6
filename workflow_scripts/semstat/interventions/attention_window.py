"""The intervention `attention_window`: a shorter context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ..models.intervening import OfAttention, require


@dataclass(frozen=True)
class AttentionWindow(OfAttention):
    """Each query sees the last keys only, in all layers.

    A layer adds window − 1 positions to what a state depends on, so that the context of layer k is
    1 + k (window − 1) positions.

    Parameters
    ----------
    window : keys that a query sees, its own among them.

    Raises
    ------
    ValueError
        If there are none.
    """

    masks: ClassVar[bool] = True
    window: int

    def __post_init__(self) -> None:
        require(self.window >= 1, f"window: {self.window} keys are too few; take at least 1")

    def sees(self, q: Tensor, k: Tensor) -> Tensor:
        return k > q - self.window

    def trial(self) -> OfAttention:
        return AttentionWindow(min(self.window, 3))
