"""Cross entropy, which language models are trained by: the mean of −ln p(correct)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .objective import Batch, Objective


@dataclass(frozen=True)
class CrossEntropy(Objective):
    """−⟨ln p(correct)⟩ over all states, those after a prefix token too."""

    def loss(self, batch: Batch, log_p_xtm: Tensor) -> Tensor:  # noqa: ARG002
        return cross_entropy(log_p_xtm)


def cross_entropy(log_p_xtm: Tensor) -> Tensor:
    """−⟨ln p(correct)⟩, nats, of ln p whose first column is the correct token's."""
    return -log_p_xtm[..., 0].mean()
