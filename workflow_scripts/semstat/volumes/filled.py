"""Which directions walkers fill."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..models.decoder import Decoder
from .decoded import Decoded, tokens_of


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


def directions_of(decoder: Decoder, decoded: Decoded, q_rwn: Tensor, pair_r2: Tensor) -> Filled:
    """The directions that walkers fill, (runs, walkers, n) points of a space."""
    runs, walkers = q_rwn.shape[:2]
    run_s = torch.arange(runs, device=q_rwn.device).repeat_interleave(walkers)
    q_sn = q_rwn.flatten(0, 1)
    x_sn = normalize(decoder.normed(decoded.state_of(q_sn, run_s)).double(), dim=-1)
    row_s2n = decoder.unembedding.weight[tokens_of(decoded, pair_r2, q_sn, run_s)].double()
    cosine_s2 = (normalize(row_s2n, dim=-1) @ x_sn[..., None])[..., 0]
    last_r, correct_r = cosine_s2.view(runs, walkers, 2).mean(dim=1).unbind(dim=1)
    x_rwn = x_sn.view(runs, walkers, -1)
    stable_r = walkers / torch.linalg.svdvals(x_rwn)[:, 0] ** 2
    return Filled(last_r, correct_r, stable_r)
