"""Energies in spaces whose volumes are known, and runs of them."""

from __future__ import annotations

import numpy as np
import torch
from scipy import special

from workflow_scripts.semstat.volumes.nested_sampling import NestedSampling
from workflow_scripts.semstat.volumes.trace import Settings


def height(q_sn, run_s):
    """H is the first component."""
    return q_sn[:, 0].double()


def cap(dimensions, height_e):
    """ln of the share of the unit sphere whose first component is at most `height_e`."""
    height_e = np.asarray(height_e, dtype=np.float64)
    shape = (dimensions - 1) / 2
    tail_e = special.betainc(shape, 0.5, 1 - height_e**2) / 2
    return np.where(height_e <= 0, np.log(tail_e), np.log1p(-tail_e))


def begin(space, energy_of, runs=1, seed=0, **settings):
    return NestedSampling.begin(
        space, energy_of, Settings(**settings), runs, torch.Generator().manual_seed(seed)
    )


def finish(sampling):
    while sampling.goes_on:
        sampling.step()
    return sampling


def trace(space, energy_of, runs, seed=0, **settings):
    return finish(begin(space, energy_of, runs, seed, **settings)).trace
