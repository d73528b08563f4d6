"""The table of what a tuned lens is worth."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

DIVERGENCES = ("logit_lens", "tuned_lens", "gain")

LENSES = pa.schema(
    columns(
        model=pa.string(),
        layer=pa.int32(),
        trained_documents=pa.int32(),
        trained_states=pa.int64(),
        documents=pa.int32(),
        states=pa.int64(),
    )
    + interval_fields(DIVERGENCES)
)
"""One row a layer: the divergence from the final distribution, nats a state, read out by either
lens on `documents` that neither was trained on, and how much the tuned lens lowers it."""
