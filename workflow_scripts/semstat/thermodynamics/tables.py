"""The tables of curves, of well numbers, of comparisons, canonical averages and signals."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from ..tables import columns, interval_fields


def bounded(quantities: Iterable[str]) -> list[pa.Field]:
    """Columns of each quantity, its pointwise interval and its simultaneous band."""
    bounds = ("", "_low", "_high", "_band_low", "_band_high")
    return [pa.field(name + bound, pa.float64()) for name in quantities for bound in bounds]


CURVE_QUANTITIES = (
    "density",
    "volume",
    "entropy",
    "temperature",
    "surface_entropy",
    "surface_temperature",
)

CURVES = pa.schema(
    columns(energy=pa.float64()) + bounded(CURVE_QUANTITIES) + columns(extrapolated=pa.bool_())
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
"""`deepest` is the share of resamples in which this layer's well is the deepest of its model and
dataset."""

DIFFERENCES = ("entropy_difference", "temperature_difference", "log_temperature_ratio")

COMPARISON = pa.schema(columns(energy=pa.float64()) + bounded(DIFFERENCES))
"""S_a − S_b, T_a − T_b and ln(T_a/T_b) of ensembles a and b; bounds as in `CURVES`."""

DISTANCES = pa.schema(
    columns(model_a=pa.string(), dataset_a=pa.string(), layer_a=pa.int32())
    + columns(model_b=pa.string(), dataset_b=pa.string(), layer_b=pa.int32())
    + columns(paired=pa.bool_(), states_a=pa.int64(), states_b=pa.int64())
    + columns(area=pa.float64(), area_p=pa.float64())
    + columns(kolmogorov_smirnov=pa.float64(), kolmogorov_smirnov_p=pa.float64())
    + columns(nullable=True, differs_from=pa.float64(), differs_to=pa.float64())
)
"""How far apart ensembles a and b are. `differs_from` and `differs_to` are the lowest and highest
energy at which the band of S_a − S_b excludes 0."""


CANONICAL_QUANTITIES = ("log_partition", "mean_energy", "heat_capacity", "entropy")

CANONICAL = pa.schema(
    columns(inverse_temperature=pa.float64(), effective_states=pa.float64())
    + bounded(CANONICAL_QUANTITIES)
)
"""Averages at inverse temperature β; `effective_states` carry the weight there, and bounds are null
where they are few."""

SIGNALS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32())
    + columns(order=pa.int32(), dependent=pa.bool_())
    + columns(energy=pa.float64(), energy_low=pa.float64(), energy_high=pa.float64())
    + columns(value=pa.float64(), score=pa.float64(), significant=pa.bool_())
)
"""Transition-like signals, as `inflection.Signal` describes them."""
