"""Tables of sweeps: observables by sampling temperature and length, and where they change."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

OF_MODEL = "model"
"""Who writes, where it is the model and no null."""

OBSERVED = (
    *("looping", "near_looping", "in_loops", "in_near_loops", "entering", "leaving"),
    *("rep_4", "energy", "below_zero", "depth", "surprisal", "conditional", "marginal"),
    *("autocorrelation_time", "heat_capacity", "fisher"),
    *("energy_susceptibility", "energy_binder", "token_susceptibility", "token_binder"),
)

OBSERVABLES = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), by=pa.string())
    + columns(sampling_temperature=pa.float64(), length=pa.int32())
    + columns(prompts=pa.int32(), texts=pa.int32())
    + interval_fields(OBSERVED, nullable=OBSERVED)
)
"""One row a writer, sampling temperature and length; see `description.describe_observables`."""

PEAKS, STEEPEST, HALVES, BALANCE, CROSSING = "peak", "steepest", "half", "balance", "crossing"
"""How a sampling temperature is found."""

DIVERSITIES = ("conditional", "marginal")
"""Entropies that are told where something changes."""

CHANGED = ("sampling_temperature", "drift", *DIVERSITIES)

CROSSOVERS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), by=pa.string(), observable=pa.string())
    + columns(how=pa.string(), length=pa.int32(), found=pa.float64())
    + interval_fields(CHANGED, nullable=CHANGED)
)
"""One row a writer, observable and length; see `description.describe_crossovers`."""
