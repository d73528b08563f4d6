"""Tables of what conditions of writing are like, on average over prompts, and names of groups."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

ALL, FOUND_ON, HELD_OUT, ALONE = "all", "found on", "held out", "document"
"""Groups of prompts: those that schedules were found on, those that no schedule has seen, and each
by itself, with the number of its document."""

CONSTANT = "constant"
"""The method that all others are compared with."""

ENTROPY_NUMBERS = (
    "marginal",
    "extrapolated",
    "cross",
    "conditional",
    "divergence",
    "cap",
    "logit_variance",
    "surprisal",
    "energy",
    "sampling_temperature",
)

ENTROPIES = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), condition=pa.string(), method=pa.string())
    + columns(prompts=pa.string(), documents=pa.int32(), position=pa.int32(), runs=pa.float64())
    + interval_fields(ENTROPY_NUMBERS, nullable=ENTROPY_NUMBERS)
    + columns(True, noise=pa.float64())
)
"""One row a group of prompts and position; see `description.describe_entropies`."""

TEXTS = pa.schema(
    columns(doc=pa.int32(), run=pa.int32(), held_out=pa.bool_(), ended=pa.bool_())
    + columns(tokens=pa.int32())
    + columns(True, loop_onset=pa.int32(), loop_period=pa.int32())
    + columns(ends_in_loop=pa.bool_(), in_loops=pa.float64())
    + columns(rep_1=pa.float64(), rep_2=pa.float64(), rep_4=pa.float64())
    + columns(surprisal=pa.float64(), energy=pa.float64(), below_zero=pa.float64())
    + columns(text=pa.string())
)
"""One row a run; see `texts.describe_texts`."""

HELD_NUMBERS = ("rmse_near", "rmse_far", "bias_near", "bias_far", "floor_near", "floor_far")
"""How well a target is held at the positions that a schedule is found on, and after them."""

DRIFT_NUMBERS = ("marginal_drift", "conditional_drift", "surprisal_drift", "rep_4_drift")

TEXT_NUMBERS = (
    "sampling_temperature",
    "marginal",
    "conditional",
    "perplexity",
    "energy",
    "below_zero",
    "rep_4",
    "distinct_2",
    "looping",
    "in_loops",
    "loop_onset",
    "ended",
)

CONDITION_NUMBERS = HELD_NUMBERS + TEXT_NUMBERS + DRIFT_NUMBERS

CONDITIONS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), condition=pa.string(), method=pa.string())
    + columns(prompts=pa.string(), documents=pa.int32(), runs=pa.int32(), tokens=pa.int64())
    + columns(True, target=pa.float64())
    + columns(fit_to=pa.int32(), spent_tokens=pa.int64(), spent_seconds=pa.float64())
    + interval_fields(CONDITION_NUMBERS, nullable=CONDITION_NUMBERS)
)
"""One row a group of prompts; see `description.describe_condition`."""

ALIKE = ("marginal", "conditional")
"""Entropies at which conditions are compared; seldom are both alike."""

COMPARED_NUMBERS = (
    "rep_4",
    "in_loops",
    "distinct_2",
    "surprisal",
    "rep_4_drift",
    "surprisal_drift",
)

COMPARISONS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), condition=pa.string(), method=pa.string())
    + columns(against=pa.string(), documents=pa.int32())
    + interval_fields(COMPARED_NUMBERS, nullable=COMPARED_NUMBERS)
)
"""One row a condition and an entropy; see `comparison.compare`."""
