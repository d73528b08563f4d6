"""The tables of two ensembles side by side."""

from __future__ import annotations

import pyarrow as pa

from ..statistics.tables import curve_fields
from ..tables import columns

DIFFERENCES = ("entropy_difference", "temperature_difference", "log_temperature_ratio")

COMPARISON = pa.schema(columns(energy=pa.float64()) + curve_fields(DIFFERENCES))
"""S_a − S_b, T_a − T_b and ln(T_a/T_b) of ensembles a and b; bounds as in `curve_fields`."""

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
