"""Log-probabilities of a few tokens of each state, without a second copy of the logits.

ln p_m = z_m − ln Σ_v e^{z_v}, and with the gradient g_m of whatever is made of them,

    dL/dz_v = Σ_m g_m [v = m] − p_v Σ_m g_m.

What autograd makes of `log_softmax` and `gather` keeps ln p of the whole vocabulary, and two more
tensors of that size on the way back. Here the way forward makes none, and the way back one: the
gradient itself. Both go through the states in slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SLICE = {"cpu": 1 << 19, "cuda": 1 << 24}
"""Logits looked at at once: what a core's cache holds, and enough to keep a GPU busy."""


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
        kept = torch.promote_types(logits_xtv.dtype, torch.float32)
        logits_sv = logits_xtv.view(-1, logits_xtv.shape[-1])
        total_s = torch.empty(len(logits_sv), dtype=kept, device=logits_sv.device)
        for part in _slices(logits_sv):
            torch.logsumexp(logits_sv[part].to(kept), dim=1, out=total_s[part])
        ctx.save_for_backward(logits_xtv, wanted_xtm, total_s)
        total_xt = total_s.view(wanted_xtm.shape[:-1])
        return logits_xtv.gather(-1, wanted_xtm).to(kept).sub_(total_xt[..., None])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient_xtm: Tensor) -> tuple[Tensor, None]:
        logits_xtv, wanted_xtm, total_s = ctx.saved_tensors
        logits_sv = logits_xtv.view(-1, logits_xtv.shape[-1])
        wanted_sm = wanted_xtm.flatten(0, -2)
        gradient_sm = gradient_xtm.flatten(0, -2)
        weight_s = -gradient_sm.sum(dim=1)
        gradient_sv = torch.empty_like(logits_sv)
        exact = logits_sv.dtype == total_s.dtype
        for part in _slices(logits_sv):
            # Rounded logits get a gradient that is summed before it is rounded.
            to = gradient_sv[part] if exact else None
            slice_sv = torch.sub(logits_sv[part], total_s[part, None], out=to)
            slice_sv.exp_().mul_(weight_s[part, None])
            slice_sv.scatter_add_(1, wanted_sm[part], gradient_sm[part])
            if not exact:
                gradient_sv[part] = slice_sv
        return gradient_sv.view_as(logits_xtv), None


def _slices(logits_sv: Tensor) -> Iterator[slice]:
    states, vocabulary = logits_sv.shape
    step = max(1, SLICE.get(logits_sv.device.type, SLICE["cuda"]) // vocabulary)
    for start in range(0, states, step):
        yield slice(start, start + step)
