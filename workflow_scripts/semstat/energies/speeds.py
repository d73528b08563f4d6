"""Norms of hidden states, and how far they move: by one kernel on a GPU, else by torch."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

log = logging.getLogger(__name__)
_works: bool | None = None
"""Whether the kernel may be used, once it has been tried."""


def norm_and_speeds(h_btn: Tensor, before_bt: Tensor) -> dict[str, Tensor]:
    """‖h(t)‖₂, ‖h(t) − h(t−1)‖₂, and the latter with the positions in shuffled order.

    Parameters
    ----------
    h_btn : (windows, positions, hidden).
    before_bt : (windows, positions) the position before each in the shuffled order; itself if none.

    Returns
    -------
    norm, speed, shuffled_speed : (windows, positions) float32; speed is NaN at each window's first
        position, shuffled_speed where nothing comes before.
    """
    return on_gpu(h_btn, before_bt) if h_btn.is_cuda else by_torch(h_btn, before_bt)


def on_gpu(h_btn: Tensor, before_bt: Tensor) -> dict[str, Tensor]:
    """They, in the way that works: the first are computed by the kernel and by torch.

    Where these disagree, or the kernel does not run here, one warning says so, and torch's
    operations are taken from then on: a dozen passes over the states.
    """
    global _works
    try:
        if _works is not False:
            found = by_kernel(h_btn, before_bt)
            if _works is None:
                _check(found, by_torch(h_btn, before_bt))
            _works = True
            return found
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        # Whatever a compiler or driver raises: torch's operations are slower, and always there.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        log.warning("the kernel of norms and speeds does not work here: %s", reason)
        _works = False
    return by_torch(h_btn, before_bt)


def by_kernel(h_btn: Tensor, before_bt: Tensor) -> dict[str, Tensor]:
    """They, in one pass over the states."""
    from triton import next_power_of_2

    from .speed_kernel import measure_speeds

    windows, positions, width = h_btn.shape
    found_3bt = h_btn.new_empty((3, windows, positions), dtype=torch.float32)
    with torch.inference_mode():
        measure_speeds[(windows * positions,)](
            *(h_btn.contiguous(), before_bt.contiguous(), found_3bt, positions, width),
            WIDTH=next_power_of_2(width),
        )
    return dict(zip(("norm", "speed", "shuffled_speed"), found_3bt, strict=True))


def by_torch(h_btn: Tensor, before_bt: Tensor) -> dict[str, Tensor]:
    """They, by torch's own operations."""
    h_btn = h_btn.float()
    speed_bt = torch.linalg.vector_norm(h_btn.diff(dim=1), dim=-1)
    before_btn = h_btn.take_along_dim(before_bt[:, :, None], dim=1)
    shuffled_bt = torch.linalg.vector_norm(h_btn - before_btn, dim=-1)
    itself_bt = before_bt == torch.arange(h_btn.shape[1], device=h_btn.device)
    return {
        "norm": torch.linalg.vector_norm(h_btn, dim=-1),
        "speed": torch.nn.functional.pad(speed_bt, (1, 0), value=torch.nan),
        "shuffled_speed": shuffled_bt.masked_fill(itself_bt, torch.nan),
    }


def _check(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Refuse what differs by more than sums in another order may."""
    for name, theirs_bt in expected.items():
        if not torch.allclose(found[name], theirs_bt, rtol=1e-4, equal_nan=True):
            raise ArithmeticError(f"{name} differs from what torch finds")
