"""How the energy sinks as a token or a sentence is repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars
from ..statistics.blocks import Blocks
from ..tables import interval_columns


def describe_repetition(
    by_copies: Mapping[int, Mapping[str, NDArray[Any]]], confidence: float
) -> list[dict[str, Any]]:
    """What a model expects of n copies of a unit and after them, on average over documents, by n.

    The energy is that of a document's last state, whose correct token is what the text really goes
    on with. Documents are independent, so means have Student intervals over documents, and the
    share has one symmetric in its logit, or the exact binomial bound at 0 and 1.

    Parameters
    ----------
    by_copies : copies → columns doc, position, log_p_last, log_p_correct and energy of one layer's
        energies, ordered by document and position; of the same documents throughout.
    confidence : coverage of the intervals.

    Returns
    -------
    A row for each n, ascending, with value, `_low` and `_high` of

    energy : ⟨H⟩ = ⟨p(continuation) − p(last token)⟩ after n copies, probability.
    p_continuation, p_last : its two terms.
    p_copy : ⟨p(correct)⟩ of the tokens of the n-th copy, each document's mean counting once.
    below_zero : share of documents with H < 0.

    Raises
    ------
    ValueError
        If the documents differ between numbers of copies, there are fewer than two of either, or a
        copy begins where no state tells what was expected.
    """
    if len(by_copies) < 2:
        raise ValueError("one number of copies does not tell how long a unit is")
    states_of = {copies: _last_states(column) for copies, column in by_copies.items()}
    docs_of = {copies: column["doc"][states_of[copies]] for copies, column in by_copies.items()}
    fewest, most = min(by_copies), max(by_copies)
    documents = len(docs_of[most])
    if not all(np.array_equal(doc_d, docs_of[most]) for doc_d in docs_of.values()):
        raise ValueError("the documents are not the same for every number of copies")
    if documents < 2:
        raise ValueError("an interval over documents needs at least two")
    longer_d, shorter_d = (by_copies[n]["position"][states_of[n]] for n in (most, fewest))
    unit_d = (longer_d - shorter_d) // (most - fewest)

    if any((np.diff(state_d, prepend=-1) <= unit_d).any() for state_d in states_of.values()):
        raise ValueError("the first copy begins at a document's first token, which has no state")

    alike = Blocks.alike(documents)
    bars = ErrorBars.pointwise(alike.freedom, confidence)
    rows = []
    for copies, column in sorted(by_copies.items()):
        state_d = states_of[copies]
        p_correct_s = np.exp(column["log_p_correct"], dtype=np.float64)
        before_s = np.cumsum(p_correct_s) - p_correct_s
        values = {
            "energy": column["energy"][state_d].astype(np.float64),
            "p_continuation": p_correct_s[state_d],
            "p_last": np.exp(column["log_p_last"][state_d], dtype=np.float64),
            "p_copy": (before_s[state_d] - before_s[state_d - unit_d]) / unit_d,
        }
        means = bars(alike.per_state(np.column_stack([*values.values()])))
        below = alike.per_state((values["energy"] < 0.0)[:, None].astype(np.float64))
        shares = bars.share(below, alike.share_deviation)
        numbers = means.intervals(values) | shares.intervals(["below_zero"])
        rows.append({"copies": copies, "documents": documents} | interval_columns(numbers))
    return rows


def _last_states(column: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """(documents,) row of each document's last state."""
    return np.flatnonzero(np.append(np.diff(column["doc"]), 1))
