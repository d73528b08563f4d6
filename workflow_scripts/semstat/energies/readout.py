"""From hidden states to what the energies table holds, by the fastest way that works here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..models.decoder import Decoder
from .tiles import StateReadout, begin_read_out_by_tiles


def begin_read_out(decoder: Decoder, q_sn: Tensor, wanted_sm: Tensor) -> Callable[[], StateReadout]:
    """Read every state out through the decoder: the logit lens of nostalgebraist (2020).

    On a GPU without writing logits out, where that works (fused_readout.py), and without waiting
    for it; else by tiles, as on a CPU, whose threads go on to what was begun next while the last
    of them ends what was first. Of a state that is NaN or infinite, so is the readout.

    Parameters
    ----------
    decoder : a decoder in float32.
    q_sn : (states, hidden) residual stream, any float dtype.
    wanted_sm : (states, wanted) token ids whose log-probabilities are asked for. The first two are
        x_t and x_{t+1}, whose H is what the fused readout keeps the error of in bounds. A token may
        be asked for twice; one that is not of the vocabulary has the log-probability −∞.

    Returns
    -------
    A function that waits for the readout, and returns it.
    """
    if q_sn.is_cuda:
        from .fused_readout import read_out_fused

        readout = read_out_fused(decoder, q_sn, wanted_sm)
        if readout is not None:
            return lambda: readout
    return begin_read_out_by_tiles(decoder, q_sn, wanted_sm)


def first_not_finite(*columns_s: NDArray[Any]) -> int | None:
    """The first state of which something is NaN or infinite, if any."""
    wrong_s = ~np.logical_and.reduce([np.isfinite(column_s) for column_s in columns_s])
    return int(wrong_s.argmax()) if wrong_s.any() else None
