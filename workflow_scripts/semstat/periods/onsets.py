"""Do energies see a loop coming, that the model itself then writes?

In a text that the model wrote, a loop is what exact matching finds (generation/loops.py), and its
onset is its first token that copies. States before it, and in it, are set beside others at the same
positions of texts that are free of loops there and for the next `REACH` tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..generation.loops import FEWEST_TOKENS
from ..generation.near_loops import find_windows
from ..statistics.several import Number
from ..tables import interval_columns
from .matched import Matched
from .onset_tables import CLOSES, ENERGY, ENTROPY, LOOP_ENERGY, P_CLOSING, P_RIVAL

REACH = 32
"""Tokens before an onset, and after, that are looked at."""

LAGS = range(-REACH, REACH)

UNAWARE = -2
"""The last lag that tells what is coming: at −1 the onset is the correct token itself."""

BEFORE = range(UNAWARE - 7, UNAWARE + 1)
"""Lags of states before an onset whose area under the ROC is told."""

Columns = Mapping[str, NDArray[Any]]
Array = NDArray[np.float64]


class Onset(NamedTuple):
    """The beginning of the first loop of a document.

    token : index in the document of the first token that copies, that of the prefix token being 0.
    period : the smallest that fits.
    end : index after the last token that copies without a gap.
    """

    token: int
    period: int
    end: int


def find_onset(tokens_t: NDArray[np.integer]) -> Onset | None:
    """The first onset of a document, the prefix token of which is first; None without a loop.

    >>> find_onset(np.array([0, 7, 8] + [1, 2, 3] * 20 + [4]))
    Onset(token=6, period=3, end=63)
    """
    windows = find_windows(tokens_t[1:], exact=True)
    if not len(windows.begin_w):
        return None
    token = int(windows.begin_w.min())
    copied_t = windows.copied()[token:]
    end = token + int(np.append(~copied_t, True).argmax())
    period = int(windows.period_w[windows.begin_w == token].min())
    return Onset(1 + token, period, 1 + end)


class Approach(NamedTuple):
    """Where states stand to onsets.

    lag_s : (states,) position of the last token less that of the onset; far off without one.
    near_s : (states,) which are at one of `LAGS` to the onset of a loop of a period that is looked
        at.
    free_s : (states,) others: of a text that has no loop so far, nor an onset in the next `REACH`
        tokens. Of a text without loops they are far enough from its end for one to be found.
    """

    lag_s: NDArray[np.int64]
    near_s: NDArray[np.bool_]
    free_s: NDArray[np.bool_]

    @classmethod
    def of(
        cls, own: Columns, tokens_d: Mapping[int, NDArray[np.integer]], prompt: int, periods: int
    ) -> Self:
        """That of states of a generated dataset.

        Parameters
        ----------
        own : (states,) `doc` and `position` of each.
        tokens_d : tokens of each document, the prefix token first.
        prompt : tokens of each that the model did not write, the prefix token not counted; states
            before them are neither.
        periods : the longest period of a loop that is looked at.
        """
        doc_d, number_s = np.unique(own["doc"], return_inverse=True)
        onset_d = [find_onset(tokens_d[doc]) for doc in doc_d.tolist()]
        # So many tokens a loop of such a period goes on for at least, from its onset.
        shown = max(FEWEST_TOKENS - 1, 2 * periods)
        never = np.iinfo(np.int32).max
        token_d = np.array([onset.token if onset else never for onset in onset_d], dtype=np.int64)
        long_d = np.array([bool(onset and onset.period > periods) for onset in onset_d], dtype=bool)
        end_d = np.array(
            [
                never if onset else len(tokens_d[doc]) - shown
                for doc, onset in zip(doc_d.tolist(), onset_d, strict=True)
            ],
            dtype=np.int64,
        )
        position_s = own["position"].astype(np.int64)
        lag_s = position_s - token_d[number_s]
        written_s = position_s >= prompt
        near_s = written_s & (lag_s >= LAGS.start) & (lag_s < LAGS.stop) & ~long_d[number_s]
        free_s = written_s & (lag_s < LAGS.start) & (position_s + REACH <= end_d[number_s])
        return cls(lag_s, near_s, free_s)


def observe(
    own: Columns, null: Columns, plain: Columns | None
) -> dict[str, tuple[Array, Array | None]]:
    """(states,) each observable with the own history, and, where it has a null, with another.

    Parameters
    ----------
    own, null : columns of the energies table, and `history`, (states, periods).
    plain : those of energies without rivals, if there are such.
    """
    found: dict[str, tuple[Array, Array | None]] = {}
    if plain is not None:
        found[ENERGY] = plain["energy"].astype(np.float64), None
    found[LOOP_ENERGY] = own["energy"].astype(np.float64), null["energy"].astype(np.float64)
    for name, of in {P_RIVAL: _p_rival, P_CLOSING: _p_closing, CLOSES: _closes}.items():
        found[name] = of(own), of(null)
    found[ENTROPY] = own["entropy"].astype(np.float64), None
    return found


def _p_rival(of: Columns) -> Array:
    """(states,) p of the likeliest recent token that is not the correct one; 0 without any."""
    p_s = np.exp(of["log_p_last"].astype(np.float64))
    rival_s: Array = np.where(of["last"] == of["correct"], 0.0, p_s)
    return rival_s


def _p_closing(of: Columns) -> Array:
    """(states,) p of the likeliest recent token, whichever it is."""
    recent_s = (of["history"] == of["correct"][:, None]).any(axis=1)
    p_s = np.where(recent_s, np.exp(of["log_p_correct"].astype(np.float64)), 0.0)
    likeliest_s: Array = np.maximum(p_s, _p_rival(of))
    return likeliest_s


def _closes(of: Columns) -> Array:
    """(states,) 1 where the most probable token is one of the recent ones, else 0."""
    recent_s: Array = (of["history"] == of["top"][:, None]).any(axis=1).astype(np.float64)
    return recent_s


def describe_onsets(
    columns: Columns,
    approach: Approach,
    observed: Mapping[str, tuple[Array, Array | None]],
    confidence: float,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What states of one layer are like by their lag to an onset, and what gives warning of it.

    Parameters
    ----------
    columns : (states,) `doc` and `position` of each.
    observed : see `observe`.

    Returns
    -------
    Rows of `onset_tables.ONSETS`, and of `WARNINGS`, without model, dataset and layer.
    """
    doc_s, position_s = columns["doc"], columns["position"]
    lag_rows: dict[str, list[dict[str, Any]]] = {name: [] for name in observed}
    for lag in LAGS:
        at_s = approach.near_s & (approach.lag_s == lag)
        matched = Matched.of(doc_s, position_s, at_s, approach.free_s)
        doc_d = doc_s[at_s].astype(np.int64)
        for name, (own_s, null_s) in observed.items():
            numbers = _by_history(own_s, null_s, matched.difference)
            means = [_mean(of_s, at_s, doc_d) for of_s in (own_s, null_s)]
            head = {"observable": name, "lag": lag}
            head |= {"documents": len(doc_d), "matched": len(matched.case_s)}
            names = ("value", "null", "beyond", "null_beyond", "excess")
            lag_rows[name].append(head | _intervals(names, (*means, *numbers), confidence))
    last_s = approach.near_s & np.isin(approach.lag_s, BEFORE)
    matched = Matched.of(doc_s, position_s, last_s, approach.free_s)
    onsets = len(np.unique(doc_s[approach.near_s]))
    others = len(np.unique(doc_s[approach.free_s]))
    warnings = []
    for name, (own_s, null_s) in observed.items():
        areas = _by_history(own_s, null_s, matched.area)
        warnings.append(
            {"observable": name, "onsets": onsets, "others": others}
            | {"ahead": ahead(lag_rows[name], "beyond")}
            | {"excess_ahead": ahead(lag_rows[name], "excess")}
            | _intervals(("area", "null_area", "excess"), areas, confidence)
        )
    return [row for rows in lag_rows.values() for row in rows], warnings


def ahead(rows: list[dict[str, Any]], number: str) -> int | None:
    """Tokens before an onset from which on an interval stays to one side of 0, up to `UNAWARE`.

    Parameters
    ----------
    rows : of one observable, by lag.
    """
    side_k = {row["lag"]: (row[f"{number}_low"] > 0) - (row[f"{number}_high"] < 0) for row in rows}
    lag = UNAWARE
    while side_k.get(lag) and side_k[lag] == side_k[UNAWARE]:
        lag -= 1
    return -(lag + 1) if lag < UNAWARE else None


def _by_history(own_s: Array, null_s: Array | None, of: Any) -> Iterator[Number | None]:
    """A number of the own history, of the null's, and the difference state by state."""
    own = of(own_s)
    yield own
    if null_s is None:
        yield from (None, None)
        return
    null = of(null_s)
    yield null
    yield own.less(1, null)


def _mean(
    value_s: Array | None, at_s: NDArray[np.bool_], doc_d: NDArray[np.int64]
) -> Number | None:
    """Mean of one state a document."""
    return None if value_s is None else Number.per(value_s[at_s], np.ones(len(doc_d)), doc_d)


def _intervals(names: tuple[str, ...], numbers: Any, confidence: float) -> dict[str, float]:
    """Columns of numbers, NaN of those that are not there."""
    nan = float("nan")
    return interval_columns(
        {
            name: (nan,) * 3 if number is None else number.interval(confidence)
            for name, number in zip(names, numbers, strict=True)
        }
    )
