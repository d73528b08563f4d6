"""Brute Monte Carlo: states drawn from the measure, and counted; for what is not too rare."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike

from .entropy import Entropy
from .walkers import EnergyOf, Space, evaluate


def count_draws(
    space: Space,
    energy_of: EnergyOf,
    energy_e: ArrayLike,
    states: int,
    generator: torch.Generator,
    runs: int = 1,
    batch: int = 65536,
) -> Entropy:
    """ln of the share of states with H ≤ E, each (runs, energies); NaN where there is none.

    Parameters
    ----------
    states : how many are drawn for each run.
    batch : how many at a time.
    """
    edge_e = torch.as_tensor(np.asarray(energy_e, dtype=np.float64), device=generator.device)
    count_re = np.zeros((runs, len(edge_e)))
    for run in range(runs):
        for first in range(0, states, batch):
            q_sn = space.draw(min(batch, states - first), generator)
            run_s = torch.full((len(q_sn),), run, device=q_sn.device)
            energy_s = evaluate(energy_of, q_sn, run_s)
            count_re[run] += (energy_s[:, None] <= edge_e).sum(dim=0).cpu().numpy()
    share_re = np.where(count_re > 0, count_re, np.nan) / states
    return Entropy(np.log(share_re), np.sqrt((1 - share_re) / (share_re * states)))
