"""The tables of state counts, curves, well numbers, canonical averages and signals."""

from __future__ import annotations

import pyarrow as pa

from ..statistics.tables import curve_fields
from ..tables import columns, interval_fields

STATES = pa.schema(
    columns(
        layer=pa.int32(),
        block=pa.int32(),
        states=pa.int64(),
        states_squared=pa.int64(),
        energy_sum=pa.float64(),
        energy_min=pa.float64(),
        at_zero=pa.int64(),
        stutters=pa.int64(),
        counts=pa.list_(pa.field("item", pa.int64(), False)),
    )
)
"""One row a layer and block of documents: sums over its states, as `states.BlockSums` has them;
`counts` are those on the energy grid, `states_squared` is Σ over documents of (their states)²."""

CURVE_QUANTITIES = (
    "density",
    "volume",
    "entropy",
    "temperature",
    "surface_entropy",
    "surface_temperature",
)

CURVES = pa.schema(
    columns(energy=pa.float64()) + curve_fields(CURVE_QUANTITIES) + columns(extrapolated=pa.bool_())
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
    "depth",
    "width",
)

WELLS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32(), states=pa.int64())
    + columns(effective_states=pa.float64())
    + interval_fields(WELL_NUMBERS, nullable=("depth", "width"))
    + columns(nullable=True, deepest=pa.float64())
)
"""`depth_low` is −1 where Ω may reach 10⁻³ below the lowest state; bounds of `width` are null where
all states below 0 are of one block. `deepest` is the share of resamples in which this layer's well
is the deepest of its model and dataset; layers that tie share it."""

CANONICAL_QUANTITIES = ("log_partition", "mean_energy", "heat_capacity", "entropy")

CANONICAL = pa.schema(
    columns(inverse_temperature=pa.float64(), effective_states=pa.float64())
    + curve_fields(CANONICAL_QUANTITIES)
)
"""Averages at inverse temperature β; `effective_states` carry the weight there, and averages are
null where they are few or one of them carries much of it."""

SIGNALS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32())
    + columns(order=pa.int32(), dependent=pa.bool_())
    + columns(energy=pa.float64(), energy_low=pa.float64(), energy_high=pa.float64())
    + columns(value=pa.float64(), score=pa.float64(), significant=pa.bool_())
)
"""Transition-like signals, as `inflection.Signal` describes them."""
