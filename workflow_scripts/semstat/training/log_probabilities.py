"""Log-probabilities of a few tokens of each state, without a second copy of the logits.

ln p_m = z_m − ln Σ_v e^{z_v}, and with the gradient g_m of whatever is made of them,

    dL/dz_v = Σ_m g_m [v = m] − p_v Σ_m g_m.

What autograd makes of `log_softmax` and `gather` keeps ln p of the whole vocabulary, and two more
tensors of that size on the way back. Here the way forward makes none, and the way back one: the
gradient itself, for which p is computed anew. Both go through the states in slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SLICE = {"cpu": 1 << 20, "cuda": 1 << 24}
"""Logits looked at at once: what a core's cache holds, and enough to keep a GPU busy."""

LEAST = 1e-5
"""Below which 1 − p is not followed, as in the program of unlikelihood: its logarithm has no bound,
and in float32 little of it is left."""


def log_probabilities(logits_xtv: Tensor, wanted_xtm: Tensor) -> Tensor:
    """ln p of wanted tokens, differentiable once in the logits.

    Parameters
    ----------
    logits_xtv : (windows, tokens, vocabulary) of any floating type, contiguous.
    wanted_xtm : (windows, tokens, m) int64 token ids; the same one may be asked for twice.

    Returns
    -------
    (windows, tokens, m) ln p, nats: float64 of such logits, else float32.

    Raises
    ------
    ValueError
        If the logits are not contiguous: they would have to be copied.

    Examples
    --------
    >>> log_probabilities(torch.zeros(1, 1, 4), torch.tensor([[[2, 3]]])).exp()
    tensor([[[0.2500, 0.2500]]])
    """
    if not logits_xtv.is_contiguous():
        raise ValueError("logits are not contiguous, and would be copied; give those of the model")
    log_p_xtm: Tensor = _LogProbabilities.apply(logits_xtv, wanted_xtm)  # type: ignore[no-untyped-call]
    return log_p_xtm


class _LogProbabilities(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits_xtv: Tensor, wanted_xtm: Tensor) -> Tensor:
        ctx.save_for_backward(logits_xtv, wanted_xtm)
        kept = torch.promote_types(logits_xtv.dtype, torch.float32)
        log_p_xtm = logits_xtv.new_empty(wanted_xtm.shape, dtype=kept)
        log_p_sm, wanted_sm = log_p_xtm.flatten(0, 1), wanted_xtm.flatten(0, 1)
        for part, logits_sv in _slices(logits_xtv):
            slice_sv = torch.log_softmax(logits_sv, dim=1, dtype=kept)
            torch.gather(slice_sv, 1, wanted_sm[part], out=log_p_sm[part])
        return log_p_xtm

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient_xtm: Tensor) -> tuple[Tensor, None]:
        logits_xtv, wanted_xtm = ctx.saved_tensors
        gradient_sm, wanted_sm = gradient_xtm.flatten(0, 1), wanted_xtm.flatten(0, 1)
        total_s1 = gradient_sm.sum(dim=1, keepdim=True)
        gradient_xtv = torch.empty_like(logits_xtv)
        gradient_sv = gradient_xtv.flatten(0, 1)
        exact = gradient_sv.dtype == gradient_sm.dtype
        for part, logits_sv in _slices(logits_xtv):
            # What is rounded is summed before.
            out = gradient_sv[part] if exact else None
            slice_sv = torch.softmax(logits_sv, dim=1, dtype=gradient_sm.dtype, out=out)
            slice_sv.mul_(-total_s1[part]).scatter_add_(1, wanted_sm[part], gradient_sm[part])
            if out is None:
                gradient_sv[part] = slice_sv
        return gradient_xtv, None


def _slices(logits_xtv: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Slices of the states, and the logits there."""
    logits_sv = logits_xtv.flatten(0, 1)
    states, vocabulary = logits_sv.shape
    step = max(1, SLICE.get(logits_sv.device.type, SLICE["cuda"]) // vocabulary)
    for start in range(0, states, step):
        part = slice(start, start + step)
        yield part, logits_sv[part]


def log_complement(p: Tensor) -> Tensor:
    """ln(1 − p), as if p were at most 1 − `LEAST`; there its gradient is 0."""
    return torch.log1p(-p.clamp(max=1 - LEAST))
