"""The energy of the states that a model decodes, as a function of points of a space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..energies.hamiltonian import energy
from ..energies.readout import begin_read_out
from ..models.decoder import Decoder
from .walkers import Space

StateOf = Callable[[Tensor, Tensor], Tensor]
"""(states, n) points of a space and (states,) the runs that they are of → (states, hidden) what is
decoded of them."""

TokensOf = Callable[[Tensor, Tensor], Tensor]
"""The same → (states, 2) int64, last and correct token."""

AT_ONCE = 256
"""States whose logits exist at a time, where a readout of wanted tokens is not enough."""


class Decoded(NamedTuple):
    """A space, and what its points stand for.

    tokens_of : their last and correct tokens; those of the run's pair where it is None.
    """

    space: Space
    state_of: StateOf
    tokens_of: TokensOf | None = None


@dataclass(frozen=True)
class DecodedEnergy:
    """H = p(correct) − p(last) of points of a space.

    decoder : in float32.
    decoded : the space.
    pair_r2 : (runs, 2) int64, last and correct token, on the decoder's device.
    """

    decoder: Decoder
    decoded: Decoded
    pair_r2: Tensor

    def __call__(self, q_sn: Tensor, run_s: Tensor) -> Tensor:
        """(states,) float32."""
        state_sn = self.decoded.state_of(q_sn, run_s)
        tokens_s2 = tokens_of(self.decoded, self.pair_r2, q_sn, run_s)
        return begin_read_out(self.decoder, state_sn, tokens_s2)().energy


@dataclass(frozen=True)
class LikeliestEnergy:
    """H = max p(other) − p(last): what is likeliest of all other tokens stands for the correct one.

    So H asks nothing of a text but its last token. (With the last one among them the maximum would
    never be below p(last), nor H below 0.)

    decoder, decoded, pair_r2 : as `DecodedEnergy` has them; the correct tokens are not used.
    """

    decoder: Decoder
    decoded: Decoded
    pair_r2: Tensor

    @torch.inference_mode()
    def __call__(self, q_sn: Tensor, run_s: Tensor) -> Tensor:
        """(states,) float32."""
        parts = zip(*(torch.split(part, AT_ONCE) for part in (q_sn, run_s)), strict=True)
        return torch.cat([self._of_some(*part) for part in parts])

    def _of_some(self, q_sn: Tensor, run_s: Tensor) -> Tensor:
        logits_sv = self.decoder.logits(self.decoded.state_of(q_sn, run_s))
        last_s1 = tokens_of(self.decoded, self.pair_r2, q_sn, run_s)[:, :1]
        normaliser_s1 = logits_sv.logsumexp(dim=1, keepdim=True)
        log_p_s1 = logits_sv.gather(1, last_s1) - normaliser_s1
        other_s1 = logits_sv.scatter_(1, last_s1, -torch.inf).amax(dim=1, keepdim=True)
        return energy(other_s1 - normaliser_s1, log_p_s1)[:, 0]


def tokens_of(decoded: Decoded, pair_r2: Tensor, q_sn: Tensor, run_s: Tensor) -> Tensor:
    """(states, 2) last and correct token of points of a space."""
    return pair_r2[run_s] if decoded.tokens_of is None else decoded.tokens_of(q_sn, run_s)
