"""Spaces of the state that a model decodes, and the energy of what is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..energies.readout import begin_read_out
from ..models.decoder import Decoder
from .gaussian import Gaussian
from .sphere import Sphere
from .walkers import Space

StateOf = Callable[[Tensor], Tensor]
"""(states, n) points of a space → (states, hidden) the states that they stand for."""

BLIND = 1e-4
"""By how much, of its norm, what is decoded may differ where it is said not to."""


@dataclass(frozen=True)
class DecodedEnergy:
    """H = p(correct) − p(last) of each run's pair of tokens.

    decoder : of the layer, in float32.
    state_of : what a point of the space stands for.
    pair_r2 : (runs, 2) int64, last and correct token, on the decoder's device.
    """

    decoder: Decoder
    state_of: StateOf
    pair_r2: Tensor

    def __call__(self, q_sn: Tensor, run_s: Tensor) -> Tensor:
        """(states,) float32."""
        return begin_read_out(self.decoder, self.state_of(q_sn), self.pair_r2[run_s])().energy


class Decoded(NamedTuple):
    """A space of states, and what its points stand for."""

    space: Space
    state_of: StateOf


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
        return Decoded(Sphere(hidden - 1), lambda x_sn: sqrt(hidden) * without_mean(x_sn))
    return Decoded(Sphere(hidden), lambda x_sn: sqrt(hidden) * x_sn)


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


def like_states(state_sn: Tensor) -> Decoded:
    """The Gaussian with the mean and the covariance of some states.

    Raises
    ------
    ValueError
        If they are too few for a covariance.
    """
    states, hidden = state_sn.shape
    if states <= hidden:
        raise ValueError(
            f"gaussian: {states} states have no covariance in {hidden} dimensions; take more "
            f"documents, {hidden + 1} states at least"
        )
    state_sn = state_sn.double()
    mean_n = state_sn.mean(dim=0)
    variance_n, axis_nn = torch.linalg.eigh(torch.cov(state_sn.T))
    kept = variance_n > hidden * torch.finfo(torch.float32).eps * variance_n[-1]
    spread_mn = (axis_nn[:, kept] * variance_n[kept].sqrt()).T.float().contiguous()
    mean_n = mean_n.float()
    return Decoded(Gaussian(len(spread_mn)), lambda z_sm: mean_n + z_sm @ spread_mn)


def draw_pairs(
    ids_of_documents: Sequence[NDArray[np.integer]], pairs: int, seed: int
) -> NDArray[np.int64]:
    """Pairs of a last and a correct token of text, one of a document, (pairs, 2).

    Parameters
    ----------
    ids_of_documents : tokens of each document, the prefix token first.

    Raises
    ------
    ValueError
        If there are too few documents in which a token follows that is not the one before it.
    """
    rng = np.random.default_rng(seed)
    found = []
    for document in rng.permutation(len(ids_of_documents)):
        ids_t = np.asarray(ids_of_documents[document])
        pair_t2 = np.stack([ids_t[1:-1], ids_t[2:]], axis=1)
        pair_t2 = pair_t2[pair_t2[:, 0] != pair_t2[:, 1]]  # else H is 0 in all of the space
        if len(pair_t2):
            found.append(pair_t2[rng.integers(len(pair_t2))])
        if len(found) == pairs:
            return np.array(found, dtype=np.int64)
    raise ValueError(
        f"pairs: {pairs} pairs of tokens need as many documents, and {len(found)} have one; take "
        f"at most {len(found)}, or more documents"
    )
