"""The table of periods."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

NUMBERS = ("share", "null", "beyond")

PERIODS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32())
    + columns(True, period=pa.int32())
    + columns(states=pa.int64(), documents=pa.int32())
    + interval_fields(NUMBERS, nullable=NUMBERS)
)
"""One row a layer and period, and one of all periods together, whose `period` is null.

share : of all states, where the model would rather close a loop of that period: loop energy below
    0, and the likeliest recent token that many tokens back.
null : the same with the history of another place of the window.
beyond : share − null, document by document. Bounds are over documents, null where nothing scatters.
"""
