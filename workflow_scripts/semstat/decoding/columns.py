"""Columns of continuations, as the job that runs a model writes them."""

from __future__ import annotations

import pyarrow as pa

from ..tables import columns

TOKEN_LIST = pa.list_(pa.field("item", pa.int32(), False))

FLAG_LIST = pa.list_(pa.field("item", pa.bool_(), False))

CONTINUATIONS = pa.schema(
    columns(doc=pa.int32(), method=pa.string(), prompt=pa.string(), continuation=pa.string())
    + columns(tokens=TOKEN_LIST, steered=FLAG_LIST)
    + columns(rep_1=pa.float64(), rep_4=pa.float64(), surprisal=pa.float64())
    + columns(energy_fluctuation=pa.float64(), reread_fluctuation=pa.float64())
    + columns(tokens_per_second=pa.float64())
)
"""One row a prompt and method.

tokens, steered : of the continuation, each token and whether the state before it was changed.
rep_1, rep_4 : of the continuation, see `measures.repetition`.
surprisal : mean −ln p of its tokens under the model as it is, nats: ln of the perplexity.
energy_fluctuation : see `measures`; of the trajectory on which it was written.
reread_fluctuation : of the same text as the model reads it, nothing steered.
tokens_per_second : of the batch that the prompt was in.
"""
