"""Columns of what a lens is worth on held-out documents, as the job that trains it writes them."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

LENS_SUMS = pa.schema(
    columns(
        layer=pa.int32(),
        doc=pa.int32(),
        states=pa.int64(),
        logit_lens=pa.float64(),
        tuned_lens=pa.float64(),
    )
)
"""One row a layer and document that was held out: its states, and the sums over them of the
divergence from the final distribution, nats, read out by either lens."""
