"""The table of causes."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

CAUSES = pa.schema(
    [
        *columns(cause=pa.string(), dataset=pa.string()),
        *columns(True, condition=pa.string(), at=pa.float64()),
        *columns(observable=pa.string()),
        *columns(True, dose=pa.float64()),
        *columns(models=pa.int32()),
        *columns(True, against=pa.string(), surprisal=pa.float64()),
        *interval_fields(["value"], nullable=["value"]),
    ]
)
"""One row a cause, observable and dose: what models are like there; or what remains of it beside
another cause; or a slope over all doses.

condition, at : under which they write, and the value of the condition's curve; null of reading.
    Where a condition is the cause, `at` is null and its values are the doses.
observable : see `training.observables`; and the measures of attention, means over layers.
dose : null of a slope, which is for a step of 1.
models : how many there are; of what remains, with those of the other cause.
against : the other cause; null of what models are like, and of slopes.
surprisal : at which both are compared, nats; null else.
value : bounds, over seeds and documents, are null where nothing scatters.
"""
