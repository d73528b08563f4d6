"""Tables of what trained models are like."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns, interval_fields

SUMMED = ("states", "surprisal", "energy", "below_zero", "bigrams")

IN_RUNS = "runs_"
"""Before the names of sums over states whose correct token lies in a run."""

SUMS = pa.schema(
    columns(layer=pa.int32(), doc=pa.int32())
    + [
        pa.field(part + name, pa.float64(), nullable=name == "bigrams")
        for part in ("", IN_RUNS)
        for name in SUMMED
    ]
)
"""One row a layer and document.

states : how many there are.
surprisal : Σ −ln p of the correct token, nats.
energy : Σ H.
below_zero : states with H < 0.
bigrams : Σ −ln p of the correct token by a chain of bigrams counted on what the model was trained
    on, nats; null of a model that was not trained here.
runs_… : the same of states whose correct token lies in a run, see `repetitions`.
"""

GROUPS = pa.schema(
    [
        *columns(group=pa.string(), models=pa.string(), seeds=pa.int32(), family=pa.string()),
        *columns(True, like=pa.string()),
        *columns(parameters=pa.int64()),
        *columns(True, objective=pa.string(), strength=pa.float64()),
        *columns(settings=pa.string()),
        *columns(True, trained_on=pa.string(), rate=pa.float64()),
        *columns(shuffled=pa.bool_(), control=pa.bool_(), tokens=pa.int64()),
        *columns(True, **{f"rep_{n}": pa.float64() for n in (1, 2, 3, 4)}),
    ]
)
"""One row a group of trained models that differ in nothing but seeds, or a model before training.

models, seeds : their names, with a comma between, and how many there are.
family, like, objective, strength, trained_on, rate, shuffled, control, tokens : see
    `training.groups.groups_of`.
parameters : of a model.
settings : of its training but the seed and its checkpoints, as JSON.
rep_1 … rep_4 : of the tokens that its first model is trained on, in windows as that reads them;
    null where they are of several datasets.
"""

OF_WRITING = columns(True, condition=pa.string(), at=pa.float64())
"""Under what was written, and the value of the condition's curve; both null of what was read."""

NUMBERS = pa.schema(
    [
        *columns(group=pa.string(), dataset=pa.string()),
        *columns(True, layer=pa.int32()),
        *OF_WRITING,
        *columns(observable=pa.string()),
        *interval_fields(["value"], nullable=["value"]),
    ]
)
"""One row a group and observable; see `observables`. The bounds are null where nothing scatters."""

DOSES = pa.schema(
    [
        *columns(family=pa.string(), dataset=pa.string()),
        *OF_WRITING,
        *columns(observable=pa.string(), models=pa.int32()),
        *columns(True, group=pa.string()),
        *columns(against=pa.string()),
        *columns(True, surprisal=pa.float64()),
        *interval_fields(["value"], nullable=["value"]),
    ]
)
"""One row a slope, or a difference of two groups; reading is at the final layer.

family : of which models; `ALL` for all together, which then have an intercept each.
models : how many there are.
group : what differs; null of a slope.
against : of a slope `rate`, or `rep_2` of the corpus; else the group that it differs from, or of
    what was compared at equal surprisal the line, as `strengths.lines_of_strength` calls it.
surprisal : at which a group is compared with a line, nats; null else.
value : slope for a step of 1; or the group's mean less that of the other.
"""

ALL = "all"
