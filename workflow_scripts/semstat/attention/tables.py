"""Tables of what goes with low energy: by quantiles of measures, and partial associations."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields
from .columns import OF_ROWS, OF_WINDOWS, RELATIVE_NORM

STUDIED = (*OF_ROWS, *OF_WINDOWS, "norm")
"""Measures whose association is told; the norm is that of the energies table."""

OUTCOMES = ("energy", "below_zero")
"""H, and whether H < 0."""

COVARIATES = ("surprisal", "entropy", "position", "frequency")
"""What is held fixed: −ln p(correct) and the entropy at the layer, the position, and how often the
last token comes in the dataset."""

NULLS = ("shuffled", "shifted")
"""Measures dealt anew within documents, and moved round them."""

GROUP_NUMBERS = ("mean_energy", "below_zero", "below_minus_0.5", "surprisal")

_OF = columns(model=pa.string(), dataset=pa.string(), layer=pa.int32(), measure=pa.string())

GROUPS = pa.schema(
    _OF
    + columns(group=pa.int32(), groups=pa.int32(), states=pa.int64(), documents=pa.int32())
    + columns(least=pa.float64(), mean=pa.float64(), most=pa.float64())
    + interval_fields(GROUP_NUMBERS)
)
"""One row a layer, measure and group of states between two of its quantiles, from the least on:
the measure there; ⟨H⟩, Ω(0⁻), Ω(−½) and ⟨−ln p(correct)⟩."""

VOLUMES = pa.schema(
    _OF
    + columns(group=pa.int32(), groups=pa.int32(), energy=pa.float64())
    + interval_fields(["volume"])
)
"""One row a group and energy: Ω, of which S = ln Ω."""

CORRELATIONS = ("plain", "partial")

NULL_PARTS = ("", "_low", "_high", "_p")

ASSOCIATIONS = pa.schema(
    _OF
    + columns(outcome=pa.string(), states=pa.int64(), documents=pa.int32())
    + interval_fields(CORRELATIONS, nullable=CORRELATIONS)
    + columns(nullable=True, **{null + part: pa.float64() for null in NULLS for part in NULL_PARTS})
)
"""One row a layer, measure and outcome: rank correlations, and the partial one under nulls: its
mean, the bounds between which draws lie, and how many are as far from it as what was found. Null
where a variable is constant, and a null where it is constant within documents."""

SUMS = pa.schema(
    columns(layer=pa.int32(), doc=pa.int32())
    + columns(**{measure: pa.float64() for measure in STUDIED})
    + columns(**{f"{measure}_states": pa.int64() for measure in STUDIED})
)
"""One row a layer and document: each measure's sum, and of how many states it is."""

PLACED = ("energy", "surprisal", RELATIVE_NORM, *OF_ROWS)
"""What is told of states by place."""

NOWHERE, OF_TOKEN, OF_PHRASE = "elsewhere", "token", "phrase"
"""Places of states by their last token: in no run; a copy of a token in a row; a token of a
phrase's copy."""

PLACES = pa.schema(
    _OF
    + columns(place=pa.string())
    + columns(True, copies=pa.int32())
    + columns(states=pa.int64(), documents=pa.int32())
    + interval_fields(["value", "beyond"], nullable=["value", "beyond"])
)
"""One row a layer, measure, place, and class of copies so far, by its least number.

value : mean over states.
beyond : less that of states elsewhere at the same positions; null where there are none.

Bounds, over documents, are null where there are fewer than two.
"""
