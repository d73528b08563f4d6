"""Batches, logits and objectives that tests of training share."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow_scripts.semstat.training.contrastive import Contrastive
from workflow_scripts.semstat.training.cross_entropy import CrossEntropy
from workflow_scripts.semstat.training.ditto import Ditto
from workflow_scripts.semstat.training.energy_barrier import EnergyBarrier
from workflow_scripts.semstat.training.log_probabilities import log_probabilities
from workflow_scripts.semstat.training.objective import Batch, Objective, Written
from workflow_scripts.semstat.training.unlikelihood import Unlikelihood

VOCABULARY, PREFIX_TOKEN = 7, 0

OBJECTIVES = [
    CrossEntropy(),
    EnergyBarrier(),
    EnergyBarrier(strength=3.0, threshold=0.2, width=0.3, shape="squared_hinge", periods=4),
    EnergyBarrier(width=1.0, periods=16, in_log_odds=True),
    EnergyBarrier(width=0.5, acts_on="both", prefix=4, written=12),
    Unlikelihood(strength=0.7),
    Unlikelihood(acts_on="both", prefix=4, written=12),
    Unlikelihood(acts_on="continuations", prefix=4, written=12),
    Contrastive(recent=1),
    Contrastive(strength=2.0, recent=5),
    Ditto(shortest=2, longest=5),
]


def text(windows: int = 3, tokens: int = 14, seed: int = 0) -> Batch:
    """Windows of few kinds of tokens, so that they repeat; some are the prefix token."""
    rng = torch.Generator().manual_seed(seed)
    ids_xt = torch.randint(0, VOCABULARY, (windows, tokens + 1), generator=rng)
    return Batch(ids_xt, ids_xt[:, :-1] != PREFIX_TOKEN)


def write(ids_xt: Tensor, tokens: int) -> Written:
    """A model that goes round a loop of three tokens."""
    written_xt = (ids_xt[:, -1:] + torch.arange(tokens) % 3) % VOCABULARY
    return Written(written_xt, (written_xt + 1) % VOCABULARY)


def batches(objective: Objective) -> list[Batch]:
    """One of text and, if it rewrites, one that is rewritten."""
    batch = text()
    return [batch, objective.rewrite(batch.ids_xt, write)] if objective.rewrites else [batch]


def logits_of(batch: Batch, seed: int = 1, scale: float = 2.0) -> Tensor:
    """Random logits in float64 that want a gradient."""
    rng = torch.Generator().manual_seed(seed)
    shape = (*batch.correct_xt.shape, VOCABULARY)
    logits_xtv = torch.randn(shape, generator=rng, dtype=torch.float64) * scale
    return logits_xtv.requires_grad_()


def evaluate(objective: Objective, batch: Batch, logits_xtv: Tensor) -> Tensor:
    """The loss, as training takes it."""
    return objective.loss(batch, log_probabilities(logits_xtv, objective.wanted(batch)))
