"""What methods of decoding are like on average over prompts, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..statistics.block_errors import ErrorBars
from ..statistics.blocks import Blocks
from ..statistics.curve import Interval
from ..tables import interval_columns


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
    return [
        {"method": method, "prompts": len(group)} | _describe(group, confidence)
        for method, group in methods.items()
    ]


def _describe(rows: Sequence[Mapping[str, Any]], confidence: float) -> dict[str, float]:
    prompts = Blocks.alike(len(rows))
    bars = ErrorBars.pointwise(prompts.freedom, confidence)

    def mean(name: str) -> Interval[float]:
        value_d1 = np.array([np.mean(row[name]) for row in rows], dtype=np.float64)[:, None]
        return bars(prompts.per_state(value_d1)).intervals([name])[name]

    def share(name: str) -> Interval[float]:
        value, low, high = mean(name)
        return Interval(value, max(low, 0.0), min(high, 1.0))

    numbers = {name: share(name) for name in ("rep_1", "rep_4", "steered")}
    numbers |= {name: mean(name) for name in ("energy_fluctuation", "reread_fluctuation")}
    numbers["perplexity"] = Interval(*(float(np.exp(part)) for part in mean("surprisal")))
    speed = float(np.mean([row["tokens_per_second"] for row in rows]))
    return interval_columns(numbers) | {"tokens_per_second": speed}
