"""From hidden states to what the energies table holds, a chunk of states at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .decoder import Decoder

LOGIT_BYTES = {"cpu": 48 << 20, "cuda": 1 << 30}
"""Size of the one buffer of logits: on a CPU about what its last-level cache holds."""


class StateReadout(NamedTuple):
    """What is read out of each state; every field is a (states,) tensor.

    log_p_last, log_p_correct : log-probability of x_t and of x_{t+1}, nats.
    energy : H, probability.
    entropy : of the next-token distribution, nats.
    top : its most probable token.
    """

    log_p_last: Tensor
    log_p_correct: Tensor
    energy: Tensor
    entropy: Tensor
    top: Tensor


def energy(log_p_correct_s: Tensor, log_p_last_s: Tensor) -> Tensor:
    """Energy H(q) = p(correct next token) − p(last token) of each state.

    Zero exactly where the two log-probabilities are equal, as they are when the correct token is
    the last one; elsewhere its sign survives even where both probabilities underflow.

    Parameters
    ----------
    log_p_correct_s, log_p_last_s : (states,) natural logarithms.

    Returns
    -------
    (states,) float32 in [−1, 1], probability.
    """
    correct_s, last_s = log_p_correct_s.double(), log_p_last_s.double()
    # exp(a) − exp(b) without cancellation where a ≈ b.
    higher_s = torch.maximum(correct_s, last_s)
    size_s = -higher_s.exp() * torch.expm1(-(correct_s - last_s).abs())
    smallest = torch.finfo(torch.float32).tiny
    size_s = torch.where(correct_s == last_s, 0.0, size_s.clamp(min=smallest))
    return torch.copysign(size_s, correct_s - last_s).float() + 0.0


def read_out(decoder: Decoder, q_sn: Tensor, last_s: Tensor, correct_s: Tensor) -> StateReadout:
    """Read every state out through the decoder: the logit lens of nostalgebraist (2020).

    On a GPU without writing logits out, where that works (fused_readout.py), and without waiting
    for it; else by chunks, as on a CPU. Of a state that is NaN or infinite, so is the readout.

    Parameters
    ----------
    decoder : a decoder in float32.
    q_sn : (states, hidden) residual stream, any float dtype.
    last_s, correct_s : (states,) token ids x_t and x_{t+1}.
    """
    if q_sn.is_cuda:
        from .fused_readout import read_out_fused

        readout = read_out_fused(decoder, q_sn, last_s, correct_s, read_out_in_chunks)
        if readout is not None:
            return readout
    return read_out_in_chunks(decoder, q_sn, last_s, correct_s)


def first_not_finite(energy_s: NDArray[Any], entropy_s: NDArray[Any]) -> int | None:
    """The first state whose readout is NaN or infinite, if any."""
    wrong_s = ~(np.isfinite(energy_s) & np.isfinite(entropy_s))
    return int(wrong_s.argmax()) if wrong_s.any() else None


def read_out_in_chunks(
    decoder: Decoder, q_sn: Tensor, last_s: Tensor, correct_s: Tensor
) -> StateReadout:
    """The readout by chunks of logits.

    Logits exist for one chunk of states at a time, so that memory grows neither with the
    number of states nor with states × vocabulary.

    Parameters
    ----------
    decoder : a decoder in float32.
    q_sn : (states, hidden) residual stream, any float dtype.
    last_s, correct_s : (states,) token ids x_t and x_{t+1}.
    """
    chunk = max(1, LOGIT_BYTES[q_sn.device.type] // (4 * decoder.vocabulary))
    # Two buffers for all chunks: fresh pages for each would cost a quarter of the time. A token's
    # logits are contiguous in them: the matrix product is the faster for it.
    shape = (2, decoder.vocabulary, min(chunk, len(q_sn)))
    buffer_sv, scratch_sv = torch.empty(shape, device=q_sn.device).mT.unbind()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(q_sn), chunk):
            rows = slice(start, start + chunk)
            h_sn = q_sn[rows].float()
            logits_sv = decoder.logits(h_sn, out=buffer_sv[: len(h_sn)])
            scratch = scratch_sv[: len(h_sn)]
            parts.append(_read_logits(logits_sv, last_s[rows], correct_s[rows], scratch))
    return StateReadout(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _read_logits(
    logits_sv: Tensor, last_s: Tensor, correct_s: Tensor, scratch_sv: Tensor
) -> StateReadout:
    """Read one chunk; overwrites the logits and the scratch, which is as large."""
    highest_s, top_s = _highest(logits_sv)
    logits_sv -= highest_s[:, None]
    wanted_s2 = logits_sv.gather(1, torch.stack([last_s, correct_s], dim=1))
    weight_sv = torch.exp(logits_sv, out=scratch_sv)
    normaliser_s = weight_sv.sum(dim=-1)
    log_normaliser_s = normaliser_s.log()
    mean_logit_s = weight_sv.mul_(logits_sv).sum(dim=-1) / normaliser_s
    log_p_last_s, log_p_correct_s = (wanted_s2 - log_normaliser_s[:, None]).unbind(dim=1)
    return StateReadout(
        log_p_last_s,
        log_p_correct_s,
        energy(log_p_correct_s, log_p_last_s),
        # Rounding can leave a certain distribution with an entropy of −1e-7.
        (log_normaliser_s - mean_logit_s).clamp(min=0),
        top_s.int(),
    )


def _highest(logits_sv: Tensor) -> tuple[Tensor, Tensor]:
    """The highest logit of each state, and its token.

    By blocks of tokens, then within the highest block: torch looks for the place of a maximum ten
    times as slowly as for the maximum. The last block may overlap the one before.
    """
    vocabulary = logits_sv.shape[1]
    width = min(64, vocabulary)
    whole_vs = logits_sv.mT[: vocabulary - vocabulary % width]
    peak_bs = whole_vs.view(-1, width, whole_vs.shape[1]).amax(dim=1)
    last_s = logits_sv[:, -width:].amax(dim=1)
    highest_s, block_s = torch.cat([peak_bs, last_s[None]]).max(dim=0)
    first_s = (block_s * width).clamp(max=vocabulary - width)
    token_sw = first_s[:, None] + torch.arange(width, device=logits_sv.device)
    return highest_s, first_s + logits_sv.gather(1, token_sw).argmax(dim=1)
