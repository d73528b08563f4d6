"""Contrastive token loss: the correct token's logit is to stand above those of recent tokens.

Jiang, Zhang, Vakulenko and de Rijke, "A simple contrastive learning objective for alleviating
neural text degeneration", arXiv:2205.02517:

    L = ⟨−ln p(x_t)⟩ + λ ⟨ln(1 + Σ_c e^{z_c − z_{x_t}})⟩,    c among the last M distinct tokens
                                                              that are not x_t.

With M = 1 the second term is ln(1 + e^{−H}) of an energy in log-odds, H = z_c − z_l, at states
whose last token is wrong: the energy barrier in logits, of threshold 0 and width 1. Theirs has λ =
1 and M an eighth of a sequence, takes the second term over its first quarter alone, and its program
counts a token as often as it stands among the last M; ours takes it over all states, counts each
token once, and leaves prefix tokens out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from .cross_entropy import cross_entropy
from .objective import Batch, Objective, require, require_strength
from .recent import recent


@dataclass(frozen=True)
class Contrastive(Objective):
    """Cross entropy and the contrastive token loss; the mean of both is over all states.

    Parameters
    ----------
    strength : λ, 1 in the paper.
    recent : M; 1 is the last token alone.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    strength: float = 1.0
    recent: int = 64

    def __post_init__(self) -> None:
        require_strength(self.strength)
        require(self.recent > 0, f"recent: {self.recent} is below 1")

    def wanted(self, batch: Batch) -> Tensor:
        ids_xtk = recent(batch, self.recent).ids_xtk
        return torch.cat([batch.correct_xt[..., None], ids_xtk], dim=-1)

    def loss(self, batch: Batch, log_p_xtm: Tensor) -> Tensor:
        wrong_xtk = recent(batch, self.recent).wrong_xtk
        # Differences of ln p are differences of logits.
        above_xtk = log_p_xtm[..., 1:] - log_p_xtm[..., :1]
        # A finite number: of −∞ alone logsumexp has no gradient.
        above_xtk = above_xtk.masked_fill(~wrong_xtk, torch.finfo(above_xtk.dtype).min)
        contrast = softplus(above_xtk.logsumexp(dim=-1)).mean()
        return cross_entropy(log_p_xtm) + self.strength * contrast
