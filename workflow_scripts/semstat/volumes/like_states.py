"""The normal distribution with the mean and the covariance of some states."""

from __future__ import annotations

import torch

from .axes import Axes
from .decoded import Decoded
from .gaussian import Gaussian


def like_states(axes: Axes, device: torch.device) -> Decoded:
    """It, in as many dimensions as the states have any spread in.

    Parameters
    ----------
    axes : of the states.
    """
    variance_n, mean_n, axis_nn = (part.to(device) for part in axes)
    kept_n = variance_n > len(variance_n) * torch.finfo(torch.float32).eps * variance_n[0]
    centre_n = (mean_n @ axis_nn).float()
    spread_mn = (variance_n[kept_n, None].sqrt() * axis_nn[kept_n]).float().contiguous()
    return Decoded(Gaussian(len(spread_mn)), lambda z_sm, _run_s: centre_n + z_sm @ spread_mn)
