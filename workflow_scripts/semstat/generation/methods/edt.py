"""EDT (arXiv 2403.14541), by entropy: hotter where the model is less sure."""

from __future__ import annotations

from torch import Tensor

from ..runs import Look, Method

BASE = 0.8
"""N of the paper."""


class EntropyBased(Method):
    """Sampling temperature T₀ · 0.8^(θ/H), H being the entropy of the model's own distribution.

    Parameters
    ----------
    hottest : T₀.
    theta : θ, nats.
    """

    def __init__(self, hottest: float = 1.0, theta: float = 1.0) -> None:
        self.hottest, self.theta = hottest, theta

    def sampling_temperature(self, _step: int, look: Look) -> Tensor:
        # Where the model is sure, H is 0 up to rounding, and so is the sampling temperature.
        return self.hottest * BASE ** (self.theta / look.entropy_dr.clamp(min=1e-6))
