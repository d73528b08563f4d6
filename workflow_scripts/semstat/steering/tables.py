"""The table of what steering achieves on average over documents."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

RATIOS = ("aimed", "ascent_path", "ascent_norm", "random")

EFFECT_NUMBERS = ("share", "error", "order", *RATIOS, "random_reached")

EFFECTS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32(), quantity=pa.string())
    + columns(effect=pa.float64(), documents=pa.int32())
    + interval_fields(EFFECT_NUMBERS, nullable=EFFECT_NUMBERS)
)
"""One row a layer, quantity and effect; see `description.describe_effects`."""
