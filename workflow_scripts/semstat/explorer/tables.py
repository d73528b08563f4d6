"""The tables of the states that an explorer shows, of one model and dataset."""

from __future__ import annotations

import pyarrow as pa

from ..statistics.curve import column_names
from ..tables import columns

QUANTITIES = ("entropy", "temperature", "density")
"""Columns of curves that are shown."""

PARTS = ("value", "band_low", "band_high")
"""Of each: the estimate and its simultaneous band."""

CURVE_COLUMNS = [name for quantity in QUANTITIES for name in column_names(quantity, PARTS)]


SCORES = ("kinetic", "normed_kinetic", "loop_energy")
"""What states are ordered by besides, where a study tells anomalies by them."""


def _lists(kind: pa.DataType, *names: str) -> list[pa.Field]:
    return [pa.field(name, pa.list_(kind), nullable=False) for name in names]


LAYERS = pa.schema(
    columns(layer=pa.int32(), states=pa.int64())
    + columns(nullable=True, low=pa.float32(), high=pa.float32())
    + _lists(pa.float32(), "energy", *CURVE_COLUMNS)
    + _lists(pa.bool_(), "extrapolated")
)
"""One row a layer, ascending: how many states it has in all, and its curve on a grid. Of the states
at or below `low`, and of those at or above `high`, none is left out; null where one may be."""

POSITIONS = pa.schema(
    columns(shard=pa.int32(), doc=pa.int32(), position=pa.int32(), token=pa.int32())
    + columns(drawn=pa.bool_(), whole=pa.bool_(), replaced=pa.bool_())
    + _lists(pa.float32(), "energies")
)
"""One row a token that is shown, ordered by shard, document and position: whether its document is
one of those that were drawn, and whether all of it is shown; whether the token was put in the place
of the text's own (ensemble `replaced`); and H at each layer of the state there, null where there is
none."""

STATES = pa.schema(
    columns(layer=pa.int32(), at=pa.int32(), energy=pa.float32())
    + columns(last=pa.int32(), correct=pa.int32(), top=pa.int32())
    + columns(log_p_last=pa.float32(), log_p_correct=pa.float32(), entropy=pa.float32())
    + columns(True, log_p_top=pa.float32())
    + columns(True, **dict.fromkeys(SCORES, pa.float32()))
)
"""One row a state that is listed, ordered by layer and energy; `at` is its row in `POSITIONS`.

log_p_top : null where the energies were measured before there was such a column.
kinetic, normed_kinetic, loop_energy : ln K before and after the final norm, and the loop energy,
    where the study asks these to tell anomalies; else null. Null too where a state does not move.
"""
