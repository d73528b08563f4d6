"""Columns of how far states are from wells, as the job that runs a model writes them."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

STARTS = ("own", "text", "random")
"""Where a path begins: at the pair's own state of text, at another one, or at a random point."""

DISTANCES = pa.schema(
    columns(space=pa.string(), unit=pa.string(), pair=pa.int32(), doc=pa.int32())
    + columns(start=pa.string())
    + columns(nullable=True, distance=pa.float64())
)
"""One row a space, pair of tokens, and point from which its well was looked for: how far away it
was found, in the unit of the space; null where it was not. `doc` is the document of the pair."""
