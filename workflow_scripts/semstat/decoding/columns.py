"""Columns of continuations, as the jobs that run a model write them."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

TOKEN_LIST = pa.list_(pa.field("item", pa.int32(), False))

FLAG_LIST = pa.list_(pa.field("item", pa.bool_(), False))

CONTINUED_NUMBERS = (
    "rep_1",
    "rep_4",
    "in_loops",
    "surprisal",
    "entropy",
    "drawn_entropy",
    "energy",
    "below_zero",
    "energy_fluctuation",
    "reread_fluctuation",
    "tokens_per_second",
)

CONTINUATIONS = pa.schema(
    columns(doc=pa.int32(), condition=pa.string(), method=pa.string())
    + columns(nullable=True, parameter=pa.string(), value=pa.float64())
    + columns(prompt=pa.string(), continuation=pa.string())
    + columns(tokens=TOKEN_LIST, steered=FLAG_LIST, looping=pa.bool_())
    + columns(**dict.fromkeys(CONTINUED_NUMBERS, pa.float64()))
)
"""One row a prompt and value of the parameter over which a condition is a curve.

parameter, value : that one; null of a method without any.
tokens, steered : of the continuation, each token and whether the state before it was changed.
rep_1, rep_4 : of the continuation, see `loops.repetition`.
looping, in_loops : whether it has a loop, and the share of its tokens in one: `find_loops`.

Of the model as it is, which reads the text, on average over its tokens:

surprisal : −ln p of the token, nats: ln of the perplexity.
entropy : of the distribution of the token, nats.
energy : H = p(token) − p(token before it).
below_zero : share of tokens with H < 0.

drawn_entropy : mean entropy of what tokens were drawn from, nats; 0 where a maximum was taken.
energy_fluctuation : see `measures`; of the trajectory on which it was written.
reread_fluctuation : of the same text as the model reads it, nothing steered.
tokens_per_second : of the batch that the prompt was in, rereading not counted.
"""
