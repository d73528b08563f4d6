"""The intervention `sink_off`: the first token is no key of those after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ..models.intervening import OfAttention


@dataclass(frozen=True)
class SinkOff(OfAttention):
    """The first token of what the model reads is masked for all later queries, in all layers.

    Its own query, which has no other key, sees it.
    """

    masks: ClassVar[bool] = True

    def sees(self, q: Tensor, k: Tensor) -> Tensor:
        return (k > 0) | (q == 0)
