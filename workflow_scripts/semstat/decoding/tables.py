"""The table of what methods of decoding are like."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

DECODING_NUMBERS = (
    "rep_1",
    "rep_4",
    "perplexity",
    "energy_fluctuation",
    "reread_fluctuation",
    "steered",
)

DECODINGS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), method=pa.string(), prompts=pa.int32())
    + interval_fields(DECODING_NUMBERS)
    + columns(tokens_per_second=pa.float64())
)
"""One row a method: means over prompts with intervals; see `description.describe_methods`."""
