"""Columns of states as energies and attention have them, with a known dependence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.semstat.attention.tables import STUDIED

LENGTH = 30


def states(documents: int = 12, seed: int = 0) -> dict[str, NDArray]:
    """States whose energy falls with the sink, and with nothing else."""
    rng = np.random.default_rng(seed)
    number = documents * LENGTH
    columns = {name: rng.uniform(0.0, 1.0, number).astype(np.float32) for name in STUDIED}
    columns["unspent"] = np.full(number, np.nan, np.float32)
    columns["induction"][rng.random(number) < 0.3] = np.nan
    columns["stable_rank"] = np.repeat(columns["stable_rank"][:documents], LENGTH)
    energy = 0.2 - 0.5 * columns["sink"] + 0.1 * rng.standard_normal(number)
    token = rng.integers(0, 20, (3, number)).astype(np.int32)
    _, of, times = np.unique(token[0], return_inverse=True, return_counts=True)
    return columns | {
        "doc": np.repeat(np.arange(documents), LENGTH).astype(np.int32),
        "position": np.tile(np.arange(1, LENGTH + 1), documents).astype(np.int32),
        "last": token[0],
        "correct": token[1],
        "top": token[2],
        "frequency": times[of],
        "log_p_correct": np.log(rng.uniform(0.01, 1, number)).astype(np.float32),
        "entropy": rng.uniform(0, 3, number).astype(np.float32),
        "energy": energy.astype(np.float32),
    }
