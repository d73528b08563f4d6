"""The table of a repetition."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

REPETITION_NUMBERS = ("energy", "p_continuation", "p_last", "p_copy", "below_zero")

REPETITION = pa.schema(
    columns(layer=pa.int32(), copies=pa.int32(), documents=pa.int32())
    + interval_fields(REPETITION_NUMBERS)
)
"""One row a layer and number of copies; `_low` and `_high` bound the interval."""
