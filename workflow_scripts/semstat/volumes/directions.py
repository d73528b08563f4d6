"""The directions of the state that a model decodes, uniformly distributed."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor

from ..models.decoder import Decoder
from .decoded import Decoded
from .sphere import Sphere

BLIND = 1e-4
"""By how much, of its norm, what is decoded may differ where it is said not to."""


def directions(decoder: Decoder, hidden: int) -> Decoded:
    """The directions of a state, uniformly distributed: all that a norm leaves of it.

    Under a LayerNorm they are those without mean, one dimension less.

    Raises
    ------
    ValueError
        If the decode tells states of one direction apart.
    """
    generator = torch.Generator(decoder.unembedding.weight.device).manual_seed(0)
    q_sn = sqrt(hidden) * Sphere(hidden).draw(16, generator)
    shift_s1 = torch.linspace(-1, 1, 16, device=q_sn.device)[:, None]
    if not _same(decoder, q_sn, 4 * q_sn):
        raise ValueError(
            "sphere: the decode of this model depends on the norm of a state, not on its direction "
            "alone, so that uniform directions are no measure of its states; take gaussian"
        )
    if _same(decoder, q_sn, q_sn + shift_s1):
        return Decoded(Sphere(hidden - 1), lambda x_sn, _run_s: sqrt(hidden) * without_mean(x_sn))
    return Decoded(Sphere(hidden), lambda x_sn, _run_s: sqrt(hidden) * x_sn)


def directions_with_norm(norm_r: Tensor, hidden: int) -> Decoded:
    """Uniform directions, of a norm that each run has, (runs,)."""
    return Decoded(Sphere(hidden), lambda x_sn, run_s: norm_r[run_s, None].to(x_sn.dtype) * x_sn)


@torch.inference_mode()
def _same(decoder: Decoder, one_sn: Tensor, other_sn: Tensor) -> bool:
    """Whether two sets of states are decoded alike."""
    one_sn, other_sn = decoder.normed(one_sn), decoder.normed(other_sn)
    return bool(((one_sn - other_sn).norm(dim=1) <= BLIND * one_sn.norm(dim=1)).all())


def without_mean(x_sn: Tensor) -> Tensor:
    """(states, n + 1) vectors of mean zero, from (states, n) ones, with their products.

    A reflection (Householder's) that takes the first axis to the diagonal, and so all others to
    what is perpendicular to it.
    """
    y_sn = torch.nn.functional.pad(x_sn, (1, 0))
    mirror_n = torch.full_like(y_sn[0], -1 / sqrt(y_sn.shape[1]))
    mirror_n[0] += 1
    mirror_n = mirror_n / mirror_n.norm()
    reflected_sn: Tensor = y_sn - 2 * (y_sn @ mirror_n)[:, None] * mirror_n
    return reflected_sn
