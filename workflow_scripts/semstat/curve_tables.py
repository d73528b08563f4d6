"""The tables of curves and of well numbers."""

from __future__ import annotations

import pyarrow as pa

from .tables import columns

CURVE_QUANTITIES = (
    "density",
    "volume",
    "entropy",
    "temperature",
    "surface_entropy",
    "surface_temperature",
)

CURVES = pa.schema(
    columns(energy=pa.float64())
    + [
        pa.field(quantity + bound, pa.float64())
        for quantity in CURVE_QUANTITIES
        for bound in ("", "_low", "_high", "_band_low", "_band_high")
    ]
    + columns(extrapolated=pa.bool_())
)
"""`_low` and `_high` bound the pointwise interval, `_band_low` and `_band_high` the simultaneous
band; null where undefined. `extrapolated` where the tail model speaks, not the states."""

WELL_NUMBERS = (
    "mean_energy",
    "lowest_energy",
    "below_zero",
    "below_minus_0.1",
    "below_minus_0.5",
    "stutters",
    "at_zero",
)

WELLS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32(), states=pa.int64())
    + columns(effective_states=pa.float64())
    + [
        pa.field(number + bound, pa.float64(), nullable=False)
        for number in WELL_NUMBERS
        for bound in ("", "_low", "_high")
    ]
)
