"""Columns of what a job writes that lets a model write: runs, and their entropies by position."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

TOKEN_LIST = pa.list_(pa.field("item", pa.int32(), False))

FLOAT_LIST = pa.list_(pa.field("item", pa.float32(), False))

DOUBLE_LIST = pa.list_(pa.field("item", pa.float64(), True))

RUNS = pa.schema(
    columns(doc=pa.int32(), run=pa.int32(), held_out=pa.bool_(), ended=pa.bool_())
    + columns(tokens=TOKEN_LIST)
    + columns(sampling_temperature=FLOAT_LIST, entropy=FLOAT_LIST, logit_variance=FLOAT_LIST)
    + columns(surprisal=FLOAT_LIST, energy=FLOAT_LIST)
)
"""One row a run, ordered by (doc, run).

held_out : whether the prompt is one that no schedule was found on.
ended : whether its last token is the end-of-text token that ended it.
tokens : written after the prompt.
sampling_temperature, entropy, logit_variance : at each token, of what it was drawn from: entropy in
    nats; variance of the logits under it.
surprisal, energy : of each token under the model's own distribution: −ln p, nats; and
    H = p(token) − p(last token).
"""

POSITIONS = pa.schema(
    columns(doc=pa.int32(), held_out=pa.bool_(), position=pa.int32(), runs=pa.int32())
    + columns(sampling_temperature=pa.float64(), conditional=pa.float64())
    + columns(True, marginal=pa.float64(), error=pa.float64(), cross=pa.float64())
    + columns(subsets=DOUBLE_LIST)
    + columns(logit_variance=pa.float64(), surprisal=pa.float64(), energy=pa.float64())
)
"""One row a prompt and position, ordered by (doc, position): averages over runs that go on.

position : 1 is the first token that is written.
runs : that go on. Rows end where fewer than two do.
marginal, error, cross, subsets : see `marginal.Marginal`; the sizes of subsets are in the
    provenance.
conditional : mean entropy of what single runs are drawn from, nats.
"""
