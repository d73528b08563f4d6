"""What continuations are like: their repetition, their probability, how steady their energy is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars, Interval, per_state
from ..tables import columns, interval_columns, interval_fields

Array = NDArray[np.float64]

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
rep_1, rep_4 : of the continuation, see `repetition`.
surprisal : mean −ln p of its tokens under the model as it is, nats: ln of the perplexity.
energy_fluctuation : see there; of the trajectory on which it was written.
reread_fluctuation : of the same text as the model reads it, nothing steered.
tokens_per_second : of the batch that the prompt was in.
"""

NUMBERS = ("rep_1", "rep_4", "perplexity", "energy_fluctuation", "reread_fluctuation", "steered")

DECODINGS = pa.schema(
    columns(model=pa.string(), dataset=pa.string(), method=pa.string(), prompts=pa.int32())
    + interval_fields(NUMBERS)
    + columns(tokens_per_second=pa.float64())
)
"""One row a method: means over prompts with Student intervals; see `describe_methods`."""


def repetition(tokens: Sequence[int], n: int) -> float:
    """rep-n = 1 − unique n-grams / n-grams (Welleck et al., arXiv 1908.04319); 0 if there is none.

    >>> repetition([1, 2, 1, 2, 1, 2], 2)
    0.6
    """
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def energy_fluctuation(hidden_btn: Array, surprisal_bs: Array) -> Array:
    """Coefficient of variation of E_t = ln(½‖h_t − h_{t−1}‖²) − ln p(x_{t+1}) in a continuation.

    The log-kinetic term and the potential of a reconstruction of arXiv 2508.08492, whose text was
    not at hand.

    Parameters
    ----------
    hidden_btn : (texts, P + S − 1, hidden) the last block's output at all tokens but the last one.
    surprisal_bs : (texts, S) −ln p of each token of the continuation, nats.

    Returns
    -------
    (texts,) standard deviation of E over the S states, over |mean|.
    """
    velocity_btn = np.diff(hidden_btn, axis=1)[:, -surprisal_bs.shape[1] :]
    kinetic_bs = np.log(0.5 * np.square(velocity_btn).sum(axis=-1))
    energy_bs = kinetic_bs + surprisal_bs
    fluctuation_b: Array = energy_bs.std(axis=1, ddof=1) / np.abs(energy_bs.mean(axis=1))
    return fluctuation_b


def describe_methods(rows: Sequence[Mapping[str, Any]], confidence: float) -> list[dict[str, Any]]:
    """Means of each method over prompts, which are independent, with Student intervals.

    Parameters
    ----------
    rows : of `CONTINUATIONS`, each method's of the same prompts, at least two.

    Returns
    -------
    A row a method, in the order in which they come, with value, `_low` and `_high` of

    rep_1, rep_4 : mean.
    perplexity : exp of the mean surprisal, under the model as it is.
    energy_fluctuation, reread_fluctuation : mean.
    steered : mean share of tokens before which the state was changed.
    """
    methods: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        methods.setdefault(row["method"], []).append(row)
    described = []
    for method, group in methods.items():
        bars = ErrorBars.pointwise(len(group), confidence)

        def mean(values: list[float], bars: ErrorBars = bars) -> Interval:
            value_d1 = np.array(values, dtype=np.float64)[:, None]
            return bars(per_state(value_d1, np.ones(len(value_d1)))).intervals(["mean"])["mean"]

        def share(values: list[float]) -> Interval:
            value, low, high = mean(values)
            return value, max(low, 0.0), min(high, 1.0)

        names = ("energy_fluctuation", "reread_fluctuation", "surprisal")
        numbers = {name: mean([row[name] for row in group]) for name in names}
        shares = ("rep_1", "rep_4")
        numbers |= {name: share([row[name] for row in group]) for name in shares}
        low, high = (float(np.exp(bound)) for bound in numbers["surprisal"][1:])
        numbers["perplexity"] = (float(np.exp(numbers.pop("surprisal")[0])), low, high)
        numbers["steered"] = share([float(np.mean(row["steered"])) for row in group])
        head = {"method": method, "prompts": len(group)}
        speed = float(np.mean([row["tokens_per_second"] for row in group]))
        described.append(head | interval_columns(numbers) | {"tokens_per_second": speed})
    return described
