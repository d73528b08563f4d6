"""Which directions walkers fill."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..models.decoder import Decoder
from .decoded import StateOf


class Filled(NamedTuple):
    """How the walkers of each run lie, each (runs,) float64.

    aligned_last, aligned_correct : mean cosine between what the unembedding reads of a walker and
        the row that it has for the last, or the correct token; 0 ± 1/√n for any direction.
    stable_rank : ‖X‖_F² / ‖X‖₂² of the directions of what it reads, (walkers, n): 1 if all are one,
        up to n if all are as frequent.
    """

    aligned_last: Tensor
    aligned_correct: Tensor
    stable_rank: Tensor


def directions_of(decoder: Decoder, state_of: StateOf, q_rwn: Tensor, pair_r2: Tensor) -> Filled:
    """The directions that walkers fill, (runs, walkers, n) points of a space."""
    x_sn = decoder.normed(state_of(q_rwn.flatten(0, 1)))
    x_rwn = normalize(x_sn.double().view(*q_rwn.shape[:2], -1), dim=-1)
    row_r2n = normalize(decoder.unembedding.weight[pair_r2].double(), dim=-1)
    cosine_rw2 = x_rwn @ row_r2n.transpose(1, 2)
    last_r, correct_r = cosine_rw2.mean(dim=1).unbind(dim=1)
    stable_r = q_rwn.shape[1] / torch.linalg.svdvals(x_rwn)[:, 0] ** 2
    return Filled(last_r, correct_r, stable_r)
