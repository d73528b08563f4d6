"""Kinetic terms of the velocity v(t) = h(t) − h(t−1) of a hidden state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

KINETIC = ("half_square", "half_square_per_dimension", "log_half_square", "log_speed")
"""Kinetic terms; see `kinetic_terms`."""

LOGARITHMIC = np.array([name.startswith("log") for name in KINETIC])
"""(kinetic,) which K may be negative, so that ln(K + V) is left out."""


def log_half_square(square: Array) -> Array:
    """ln(½‖v‖²) of ‖v‖², element by element."""
    log: Array = np.log(square / 2)
    return log


def kinetic_terms(speed_t: Array, hidden: int) -> Array:
    """½‖v‖², ½‖v‖²/N, ln(½‖v‖²) and ln‖v‖ of the speed ‖v‖ and of N hidden dimensions.

    Returns
    -------
    (kinetic, states) in the order of `KINETIC`.
    """
    square_t = speed_t**2
    half_square_t = square_t / 2
    return np.stack(
        [half_square_t, half_square_t / hidden, log_half_square(square_t), np.log(speed_t)]
    )
