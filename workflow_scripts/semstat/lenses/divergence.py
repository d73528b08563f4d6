"""How far an inner layer is from the final distribution, as either lens reads it out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars
from ..statistics.blocks import Blocks
from ..tables import interval_columns
from .tables import DIVERGENCES


def describe_divergence(
    sum_d2: NDArray[np.float64], states_d: NDArray[np.int64], confidence: float
) -> dict[str, float]:
    """Mean divergence under either lens, and what the tuned lens gains, with Student intervals.

    Parameters
    ----------
    sum_d2 : (documents, 2) sums over states, nats: logit lens, tuned lens.
    states_d : (documents,) states of each; documents are the unit of error.

    Returns
    -------
    the columns of `DIVERGENCES`, each with `_low` and `_high`, in nats a state.
    """
    gain_d = sum_d2[:, 0] - sum_d2[:, 1]
    documents = Blocks.of_documents(states_d.astype(np.float64))
    mean = documents.per_state(np.column_stack([sum_d2, gain_d]))
    curve = ErrorBars.pointwise(documents.freedom, confidence)(mean)
    return interval_columns(curve.intervals(DIVERGENCES))
