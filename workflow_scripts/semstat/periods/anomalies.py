"""How well scores of states tell spans that were replaced from the text around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..mechanics.kinetic import log_half_square
from ..mechanics.terms import FIRST_POSITION
from ..statistics.areas import area, area_interval, gain
from ..tables import interval_columns
from .anomaly_tables import SCORES

Array = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

NONE = -1


class Marks(NamedTuple):
    """What each token of a document belongs to.

    span_t : (tokens,) the span, counted from 0: those that were replaced first, then as long ones
        side by side in between; `NONE` of what is left over, and before all of them.
    first : the first token that may be in one; none before is compared.
    replaced : how many of them were replaced.
    """

    span_t: NDArray[np.int64]
    first: int
    replaced: int


def mark(tokens: int, begin_s: NDArray[np.int64], length: int, first: int) -> Marks:
    """Spans that were replaced, and as long ones in between.

    >>> mark(12, np.array([6]), 2, 3).span_t.tolist()
    [-1, -1, -1, 1, 1, -1, 0, 0, 2, 2, 3, 3]
    """
    between = zip([first, *begin_s + length], [*begin_s, tokens], strict=True)
    begins = [*begin_s]
    for start, stop in between:
        begins += range(start, stop - length + 1, length)
    span_t = np.full(tokens, NONE)
    for span, begin in enumerate(begins):
        span_t[begin : begin + length] = span
    return Marks(span_t, first, len(begin_s))


def scores(own: Columns, loop_energy_s: NDArray[Any]) -> dict[str, Array]:
    """What is larger where a state is stranger, by name; not finite where a state does not move.

    Surprisal −ln p(x_{t+1}), ln K with K = ½‖h(t) − h(t−1)‖², before and after the final norm, its
    sum with surprisal, −p(x_{t+1}), −H, and less the loop energy.
    """
    surprisal_s = -own["log_p_correct"].astype(np.float64)
    with np.errstate(divide="ignore"):
        kinetic_s, normed_s = (
            log_half_square(own[name].astype(np.float64) ** 2) for name in ("speed", "normed_speed")
        )
    found = (
        surprisal_s,
        kinetic_s,
        normed_s,
        kinetic_s + surprisal_s,
        normed_s + surprisal_s,
        -np.exp(-surprisal_s),
        -own["energy"].astype(np.float64),
        -loop_energy_s.astype(np.float64),
    )
    return dict(zip(SCORES, found, strict=True))


def describe_anomalies(
    own: Columns,
    loop_energy_s: NDArray[Any],
    marks: Mapping[int, Marks],
    draws: int,
    confidence: float,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Areas under the ROC curve at one layer, and what each score adds to surprisal.

    A state is an anomaly where the token that it is scored on, x_{t+1}, was replaced; the score of
    a span is the mean of its states'. States compared lie where spans may: a text's beginning,
    where all is a surprise, is left out, and so are states that do not move.

    Parameters
    ----------
    own : (states,) columns of the energies table.
    loop_energy_s : (states,) loop energies of the same.
    marks : of each document.
    draws : how often a score is dealt anew for the null.

    Returns
    -------
    Rows of `anomaly_tables.ANOMALIES`, without model, dataset, layer and kind.
    """
    score = scores(own, loop_energy_s)
    token_s, span_s = own["position"] + 1, np.full(len(own["doc"]), NONE)
    used_s = np.isfinite(list(score.values())).all(axis=0) & (own["position"] >= FIRST_POSITION)
    anomaly_s = np.zeros(len(span_s), np.bool_)
    for doc, of in marks.items():
        here_s = own["doc"] == doc
        span_s[here_s] = of.span_t[token_s[here_s]]
        used_s[here_s] &= token_s[here_s] >= of.first
        anomaly_s[here_s] = (span_s[here_s] >= 0) & (span_s[here_s] < of.replaced)
    states = {name: value[used_s] for name, value in score.items()}
    doc_s, anomaly_s, span_s = own["doc"][used_s], anomaly_s[used_s], span_s[used_s]
    rows = _rows("state", states, anomaly_s, doc_s, draws, confidence, rng)

    whole_s = span_s != NONE
    each = np.stack([doc_s[whole_s], span_s[whole_s]])
    (doc_w, _), first_w, at_s = np.unique(each, axis=1, return_index=True, return_inverse=True)
    spans = {
        name: np.bincount(at_s, value[whole_s]) / np.bincount(at_s)
        for name, value in states.items()
    }
    anomaly_w = anomaly_s[whole_s][first_w]
    return rows + _rows("span", spans, anomaly_w, doc_w, draws, confidence, rng)


def _rows(
    of: str,
    score: Mapping[str, Array],
    anomaly_s: NDArray[np.bool_],
    doc_s: NDArray[Any],
    draws: int,
    confidence: float,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    anomalies = int(anomaly_s.sum())
    head = {"of": of, "anomalies": anomalies, "others": len(anomaly_s) - anomalies}
    head["documents"] = len(np.unique(doc_s))
    rows = []
    for name, score_s in score.items():
        number = area(score_s, anomaly_s, doc_s)
        row = head | {"score": name}
        row |= interval_columns({"area": area_interval(number, confidence)})
        if name == "surprisal":
            unknown = (np.nan, np.nan, np.nan)
            more = dict.fromkeys(("gain", "null", "beyond"), unknown)
        else:
            found = gain(score["surprisal"], score_s, anomaly_s, doc_s, draws, rng)
            more = {key: part.interval(confidence) for key, part in found._asdict().items()}
        rows.append(row | interval_columns(more))
    return rows
