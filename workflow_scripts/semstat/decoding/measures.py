"""How steady the energy of a continuation is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..mechanics.kinetic import log_half_square

Array = NDArray[np.float64]


def energy_fluctuation(hidden_xtn: Array, surprisal_xt: Array) -> Array:
    """Coefficient of variation of E_t = ln(½‖h_t − h_{t−1}‖²) − ln p(x_{t+1}) in a continuation.

    The log-kinetic term and the potential of a reconstruction of arXiv 2508.08492, whose text was
    not at hand.

    Parameters
    ----------
    hidden_xtn : (texts, P + S − 1, hidden) the last block's output at all tokens but the last one.
    surprisal_xt : (texts, S) −ln p of each token of the continuation, nats.

    Returns
    -------
    (texts,) standard deviation of E over the S states, over |mean|.
    """
    velocity_xtn = np.diff(hidden_xtn, axis=1)[:, -surprisal_xt.shape[1] :]
    energy_xt = log_half_square(np.square(velocity_xtn).sum(axis=-1)) + surprisal_xt
    fluctuation_x: Array = energy_xt.std(axis=1, ddof=1) / np.abs(energy_xt.mean(axis=1))
    return fluctuation_x
