"""Unlikelihood: what a text has had, and what a model repeats, is made less probable.

Welleck et al., "Neural text generation with unlikelihood training", arXiv:1908.04319. On text

    L = ⟨−ln p(x_t) − α Σ_c ln(1 − p(c))⟩,    c among the distinct x_{<t} that are not x_t,

and on what the model writes −α ln(1 − p(x_t)) at tokens that repeat a 4-gram, over all tokens that
it wrote. Theirs has the prefix token among the c, if the text has had one, and no α on what is
written; on text it is theirs otherwise. What is marked differs: see `continuations`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .continuations import On, OnContinuations, mean_of_marked
from .cross_entropy import cross_entropy
from .log_probabilities import log_complement
from .objective import Batch, require_strength
from .recent import recent


@dataclass(frozen=True)
class Unlikelihood(OnContinuations):
    """Cross entropy, and −ln(1 − p) of repetitions.

    On text it takes ln p of all that a window has had, at each state: windows · tokens² numbers.

    Parameters
    ----------
    strength : α, 1 in the paper.
    acts_on : where repetitions are made less probable.
    prefix : tokens of a text that the model continues, where it acts on continuations.
    written : tokens that the model writes then.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    strength: float = 1.0
    acts_on: On = "text"
    prefix: int = 50
    written: int = 100

    def __post_init__(self) -> None:
        require_strength(self.strength)
        self.require_continuations()

    def wanted(self, batch: Batch) -> Tensor:
        if batch.marked_xt is not None or self.acts_on == "continuations":
            return super().wanted(batch)
        return torch.cat([batch.correct_xt[..., None], recent(batch).ids_xtk], dim=-1)

    def loss(self, batch: Batch, log_p_xtm: Tensor) -> Tensor:
        if batch.marked_xt is not None:
            unlikely_xt = -log_complement(log_p_xtm[..., 0].exp())
            return self.strength * mean_of_marked(batch, unlikely_xt, self.written)
        entropy = cross_entropy(log_p_xtm)
        if self.acts_on == "continuations":
            return entropy
        wrong_xtk = recent(batch).wrong_xtk
        unlikely_xtk = -log_complement(log_p_xtm[..., 1:].exp())
        unlikely_xt = unlikely_xtk.masked_fill(~wrong_xtk, 0.0).sum(dim=-1)
        return entropy + self.strength * unlikely_xt.mean()
