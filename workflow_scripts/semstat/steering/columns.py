"""Columns of what steering does to states, as the job that runs a model writes them."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

STEERED_STATES = pa.schema(
    columns(layer=pa.int32(), quantity=pa.string(), doc=pa.int32(), effect=pa.float64())
    + columns(before=pa.float64(), state_norm=pa.float64(), slope=pa.float64())
    + columns(reachable=pa.bool_())
    + columns(
        nullable=True,
        linear=pa.float64(),
        norm=pa.float64(),
        aimed_norm=pa.float64(),
        ascent_path=pa.float64(),
        ascent_norm=pa.float64(),
        random_norm=pa.float64(),
    )
    + columns(random_reached=pa.float64())
)
"""One row a state and wanted effect, nats, signed.

before : the quantity; `slope` is ‖J‖, so that J⁺Δ has the norm |effect| / slope.
linear : the change that J⁺Δ makes, without a search.
norm, aimed_norm : ‖δh‖ that reaches the effect by one Jacobian and a line search, and by three.
ascent_path, ascent_norm : how far gradient ascent walks to get there, and how far from h it ends.
random_norm : the median norm over the random directions that get there within ‖h‖, of which there
    is the share random_reached.
Norms are null where the effect is out of reach: a log-probability cannot exceed 0.
"""
