"""Dynamic temperature, as llama.cpp and others have it: by the entropy over its greatest value."""

from __future__ import annotations

import math

from torch import Tensor

from ..runs import Look, Method


class DynamicTemperature(Method):
    """Sampling temperature T_min + (T_max − T_min) (H / ln n)^e, n being the vocabulary.

    H is the entropy of the model's own distribution; nothing is cut off before.

    Parameters
    ----------
    coldest, hottest : T_min and T_max.
    exponent : e.
    """

    def __init__(self, coldest: float = 0.5, hottest: float = 1.5, exponent: float = 1.0) -> None:
        self.coldest, self.hottest, self.exponent = coldest, hottest, exponent

    def sampling_temperature(self, _step: int, look: Look) -> Tensor:
        share_dr = look.entropy_dr.clamp(min=0) / math.log(look.shifted_drv.shape[-1])
        return self.coldest + (self.hottest - self.coldest) * share_dr**self.exponent
