"""What methods of decoding are like on average over prompts, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..statistics.block_errors import ErrorBars
from ..statistics.blocks import Blocks
from ..statistics.curve import Interval
from ..statistics.shares import exact_share
from ..tables import interval_columns

SHARES = ("rep_1", "rep_4", "in_loops", "below_zero", "steered")

MEANS = ("entropy", "drawn_entropy", "energy", "energy_fluctuation", "reread_fluctuation")

SAID = ("condition", "method", "parameter", "value")
"""Columns that say what a group of rows is of."""


def describe_continuations(
    rows: Sequence[Mapping[str, Any]], confidence: float
) -> list[dict[str, Any]]:
    """Means of each value of each condition over prompts, which are independent.

    Parameters
    ----------
    rows : of `CONTINUATIONS`, each value's of the same prompts, at least two.

    Returns
    -------
    A row a value, in the order in which they come, with value, and bounds `_low` and `_high` of a
    Student interval, of

    looping : share of prompts whose text has a loop; its bounds are Clopper and Pearson's (1934).
    perplexity : exp of the mean surprisal, under the model as it is.
    steered : mean share of tokens before which the state was changed.

    and of the mean of all other numbers, see `CONTINUATIONS`.
    """
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in SAID), []).append(row)
    return [
        dict(zip(SAID, said, strict=True)) | {"prompts": len(group)} | _describe(group, confidence)
        for said, group in groups.items()
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

    numbers = {name: share(name) for name in SHARES} | {name: mean(name) for name in MEANS}
    numbers["perplexity"] = Interval(*(float(np.exp(part)) for part in mean("surprisal")))
    numbers["looping"] = exact_share(sum(row["looping"] for row in rows), len(rows), confidence)
    speed = float(np.mean([row["tokens_per_second"] for row in rows]))
    return interval_columns(numbers) | {"tokens_per_second": speed}
