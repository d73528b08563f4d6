"""Tables of volumes: S(E) of pairs and on average, and the wells that they tell."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

WELLS = {"below_zero": "H < 0", "below_minus_0.5": "H ≤ −½"}
"""Wells whose depth is told, by the names that they have in columns."""

ENTROPIES = pa.schema(
    columns(pair=pa.int32(), energy=pa.float64())
    + interval_fields(["entropy", "temperature"], nullable=["entropy", "temperature"])
)
"""One row a pair of tokens and grid point: S(E) = ln Ω(E), nats, null where its run has not got,
and T = (dS/dE)⁻¹, probability, null where it is not told (`temperature.py`)."""

AVERAGED = ("entropy", "typical", "temperature", "typical_temperature")

CURVES = pa.schema(
    columns(energy=pa.float64(), reached=pa.int32(), effective_pairs=pa.float64())
    + interval_fields(AVERAGED, nullable=AVERAGED)
)
"""One row a grid point: how many pairs have got there; `entropy`, ln of the mean Ω of all pairs;
`typical`, their mean ln Ω, nats. Where not all have got, both are null but for the upper bounds.
`temperature` and `typical_temperature`, probability, are the inverse slopes of the two. Where
`effective_pairs`, (Σ Ω)²/Σ Ω², are fewer than half of the pairs, `entropy` has no upper bound and
`temperature` none: few pairs make up the mean, and larger wells may not have been drawn."""

OF_RUNS = ("insertion", "memory", "overlap", "aligned_last", "aligned_correct", "stable_rank")

WHICH = columns(model=pa.string(), dataset=pa.string(), layer=pa.int32()) + columns(
    space=pa.string(), measure=pa.string(), against=pa.string()
)
"""Which volumes a row is of: the space and its measure, and what the last token is held against."""

PAIRS = pa.schema(
    WHICH
    + columns(pair=pa.int32(), doc=pa.int32(), position=pa.int32())
    + columns(last=pa.int32(), correct=pa.int32())
    + columns(ended=pa.string(), reached=pa.float64(), evaluations=pa.int64())
    + interval_fields([f"entropy_{well}" for well in WELLS], [f"entropy_{well}" for well in WELLS])
    + columns(nullable=True, **dict.fromkeys(OF_RUNS, pa.float64()))
)
"""One row a pair of tokens: how its run ended, S in the wells, its diagnostics (`diagnostics.py`),
and the directions of the walkers at its end (`filled.py`)."""

DEPTHS = [f"{kind}_{well}" for kind in ("entropy", "typical", "text") for well in WELLS]

EFFECTIVE = [f"effective_pairs_{well}" for well in WELLS]

VOLUMES = pa.schema(
    WHICH
    + columns(pairs=pa.int32(), reached=pa.int32(), walkers=pa.int32(), evaluations=pa.int64())
    + interval_fields(DEPTHS, nullable=DEPTHS)
    + columns(**dict.fromkeys(EFFECTIVE, pa.float64()))
    + columns(nullable=True, **dict.fromkeys(OF_RUNS, pa.float64()))
)
"""One row of what a pair's rows share: ln Ω of the wells, nats, averaged as in `CURVES`; `text_`,
that of the states of text; how many pairs have reached H ≤ −½; means over pairs of the rest, and
`insertion` of all of them together."""

SHARES = ("own", "text", "random")
NEAR = ("own", "text", "nearest_text", "random", "nearest_random", "own_nearer", "text_nearer")

DISTANCES = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), layer=pa.int32(), space=pa.string())
    + columns(unit=pa.string(), energy=pa.float64(), pairs=pa.int32(), starts=pa.int32())
    + columns(**{f"reached_{start}": pa.float64() for start in SHARES})
    + interval_fields(NEAR, nullable=NEAR)
)
"""One row a space: how far wells H ≤ `energy` are, on average over pairs of tokens. `own`, from the
pair's own state of text; `text`, `random`, the median over as many `starts` at other states and at
random points; `nearest_`, the least; `_nearer`, the chance that text is nearer than a random point.
`reached_`, the share of points from which the well was found; where it was not, it counts as
farther than all, and averages over pairs are null if one of them has no number."""
