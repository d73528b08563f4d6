"""The table of what methods of decoding are like."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

DECODING_NUMBERS = (
    "rep_1",
    "rep_4",
    "looping",
    "in_loops",
    "perplexity",
    "entropy",
    "drawn_entropy",
    "energy",
    "below_zero",
    "energy_fluctuation",
    "reread_fluctuation",
    "steered",
)

DECODINGS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), condition=pa.string(), method=pa.string())
    + columns(nullable=True, parameter=pa.string(), value=pa.float64())
    + columns(prompts=pa.int32())
    + interval_fields(DECODING_NUMBERS)
    + columns(tokens_per_second=pa.float64())
)
"""One row a condition and value: means over prompts; see `description.describe_continuations`."""
