"""How the energy sinks as a token or a sentence is repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .block_errors import ErrorBars, per_state
from .tables import columns

Array = NDArray[np.float64]

MEANS = ("energy", "p_continuation", "p_last", "p_again")
NUMBERS = (*MEANS, "below_zero")

REPETITION = pa.schema(
    columns(layer=pa.int32(), copies=pa.int32(), documents=pa.int32())
    + [
        pa.field(number + bound, pa.float64(), nullable=number == "p_again")
        for number in NUMBERS
        for bound in ("", "_low", "_high")
    ]
)
"""One row a layer and number of copies; `_low` and `_high` bound the interval."""


def describe_repetition(
    columns_n: Mapping[int, Mapping[str, NDArray[Any]]], one_token: bool, confidence: float
) -> list[dict[str, Any]]:
    """What a model expects after n copies of a unit, on average over documents, by n.

    A document contributes one state to each n, the last one, whose correct token is what the text
    really goes on with. Documents are independent, so means have Student intervals over documents,
    and the share has one symmetric in its logit, or the exact binomial bound at 0 and 1.

    Parameters
    ----------
    columns_n : copies → columns doc, position, log_p_last, log_p_correct and energy of one layer's
        energies, ordered by document and position; of the same documents throughout.
    one_token : whether the unit is a single token.
    confidence : coverage of the intervals.

    Returns
    -------
    A row for each n, ascending, with value, `_low` and `_high` of

    energy : ⟨H⟩ = ⟨p(continuation) − p(last token)⟩, probability.
    p_continuation, p_last : its two terms.
    p_again : ⟨p(first token of the unit)⟩, that it starts over, probability. Of a single token it
        is p_last; of a longer unit it is read where the documents with the most copies do start
        over, hence missing at the highest n.
    below_zero : share of documents with H < 0.

    Raises
    ------
    ValueError
        If the documents differ between numbers of copies, or are fewer than two.
    """
    longest = columns_n[max(columns_n)]
    documents = np.unique(longest["doc"])
    if len(documents) < 2:
        raise ValueError("an interval over documents needs at least two")
    bars = ErrorBars.pointwise(len(documents), confidence)
    state_d = np.ones(len(documents))
    rows = []
    for copies, column in sorted(columns_n.items()):
        last_d = np.flatnonzero(np.append(np.diff(column["doc"]), 1))
        if not np.array_equal(column["doc"][last_d], documents):
            raise ValueError(f"the documents with {copies} copies are not those with the most")
        values = {
            "energy": column["energy"][last_d].astype(np.float64),
            "p_continuation": np.exp(column["log_p_correct"][last_d], dtype=np.float64),
            "p_last": np.exp(column["log_p_last"][last_d], dtype=np.float64),
        }
        if one_token:
            values["p_again"] = values["p_last"]
        elif column is not longest:
            values["p_again"] = _again(column["position"][last_d], longest)
        means = bars(per_state(np.column_stack([*values.values()]), state_d))
        below = per_state((values["energy"] < 0.0)[:, None].astype(np.float64), state_d)
        shares = bars.share(below, float(len(documents)))
        row: dict[str, Any] = {"copies": copies, "documents": len(documents)}
        for names, curve in ((list(values), means), (["below_zero"], shares)):
            for name, *interval in zip(names, *(part.tolist() for part in curve[:3]), strict=True):
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))
        rows.append(row)
    return rows


def _again(position_d: NDArray[np.int32], longest: Mapping[str, NDArray[Any]]) -> Array:
    """p(correct) of the longest documents at a position of each, where they start over."""
    first_d = np.flatnonzero(np.append(1, np.diff(longest["doc"])))
    found_d: Array = np.exp(longest["log_p_correct"][first_d + position_d], dtype=np.float64)
    return found_d
