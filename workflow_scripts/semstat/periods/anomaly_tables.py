"""The table of anomalies."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

SCORES = (
    "surprisal",
    "kinetic",
    "normed_kinetic",
    "kinetic_and_surprisal",
    "normed_kinetic_and_surprisal",
    "probability",
    "energy",
    "loop_energy",
)
"""What anomalies are told by; see `anomalies.scores`."""

NUMBERS = ("area", "gain", "null", "beyond")

ANOMALIES = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32(), kind=pa.string())
    + columns(True, taken_from=pa.string())
    + columns(of=pa.string(), score=pa.string())
    + columns(anomalies=pa.int64(), others=pa.int64(), documents=pa.int32())
    + interval_fields(NUMBERS, nullable=NUMBERS)
)
"""One row a layer, score, and what is told apart: states, or whole spans (`of`).

kind, taken_from : what stands in the spans, and the dataset that it is of, if another one.
anomalies, others : states or spans of each kind.
area : under the ROC curve.
gain : area of surprisal and the score together, less that of surprisal; null for surprisal.
null : the same with the score dealt anew within documents.
beyond : gain − null. Bounds are over documents, null where nothing scatters.
"""
