"""Tables of how loops begin that a model wrote, and of the periods that are found."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

ENERGY, LOOP_ENERGY, P_RIVAL, P_CLOSING, CLOSES, ENTROPY = OBSERVABLES = (
    "energy",
    "loop_energy",
    "p_rival",
    "p_closing",
    "closes",
    "entropy",
)
"""What is told of states near an onset: H, where there is an entry without rivals; the loop energy;
p of its rival; p of the likeliest of the last K tokens, the correct one among them; whether the
model's most probable token is one of these; and the entropy. H and the entropy have no null."""

LAG_NUMBERS = ("value", "null", "beyond", "null_beyond", "excess")

ONSETS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32(), observable=pa.string())
    + columns(lag=pa.int32(), documents=pa.int32(), matched=pa.int32())
    + interval_fields(LAG_NUMBERS, nullable=LAG_NUMBERS)
)
"""One row a layer, observable and lag: position of the state's last token less that of the first
token that copies, so that the state before the onset has lag −1.

documents : with such a state, one each. matched : of them, at positions where others are.
value, null : mean with the state's own history, and with that of another place.
beyond, null_beyond : less those of other states at the same positions, see `onsets.Approach`.
excess : beyond − null_beyond. Bounds are over documents; null where nothing is or scatters.
"""

WARNING_NUMBERS = ("area", "null_area", "excess")

WARNINGS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32(), observable=pa.string())
    + columns(onsets=pa.int32(), others=pa.int32())
    + columns(True, ahead=pa.int32(), excess_ahead=pa.int32())
    + interval_fields(WARNING_NUMBERS, nullable=WARNING_NUMBERS)
)
"""One row a layer and observable.

onsets : documents with an onset. others : documents that others at the same positions are of.
ahead : tokens before the onset from which on the interval of `beyond` stays to one side of 0, up to
    the last state whose correct token is not the onset; null where that one holds 0.
excess_ahead : the same of `excess`.
area, null_area : area under the ROC of the last such states, at `onsets.BEFORE`, against others at
    the same positions, and of the null's. excess : area − null_area.
"""

FOUND_NUMBERS = ("found", "null", "beyond")

FOUND = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32())
    + columns(True, copies=pa.int32())
    + columns(documents=pa.int32())
    + interval_fields(FOUND_NUMBERS, nullable=FOUND_NUMBERS)
)
"""One row a layer, and number of copies where a unit is repeated.

documents : whose period is at most K.
found : share of them in which it is the one that the model would go on with.
null : the same with the history of another place.
beyond : found − null.
"""
