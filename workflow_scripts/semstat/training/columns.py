"""The training log."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

FITTING = pa.schema(
    [
        *columns(step=pa.int32(), tokens=pa.int64()),
        *columns(loss=pa.float64()),
        *columns(True, surprisal=pa.float64(), energy=pa.float64(), below_zero=pa.float64()),
        *columns(learning_rate=pa.float64(), gradient_norm=pa.float64()),
    ]
)
"""One row every so many updates, of which it tells the means.

step, tokens : updates so far, and tokens that they were of.
loss : what is made small, nats.
surprisal, energy, below_zero : of states of the text with an energy, before each update: −ln p of
    the correct token, nats; H = p(correct) − p(last); share of H < 0. Null where all updates were
    of rewritten windows.
learning_rate : of the last of these updates.
gradient_norm : of all weights together at the last of these updates, before it is cut to 1.
"""
