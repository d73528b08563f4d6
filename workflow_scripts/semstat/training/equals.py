"""What trained models are like beside other objectives' at equal surprisal.

An objective's strength moves both what it is for and how well a model predicts text, and another
objective's moves them along another line. At equal perplexity they are compared by going from one
group straight to the other line, which joins its groups in the order of their surprisal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from ..statistics.curve import Interval
from .observables import Place
from .several import Number, contrast

Group = Mapping[str, Any]

Numbers = Mapping[str, Mapping[Place, Number]]
"""Of each model, by place; reading is of no layer."""


class Beside(NamedTuple):
    """A group beside a line at equal surprisal.

    models : in the group and in the two groups of the line between which it is.
    surprisal : nats.
    value : of the group less that of the line.
    """

    models: int
    surprisal: float
    value: Interval[float]


def beside_line(
    group: Group,
    line: Sequence[Group],
    family: Sequence[Group],
    numbers: Numbers,
    place: Place,
    confidence: float,
) -> Beside | None:
    """How far a group lies above a line of others, at its own surprisal.

    With y of a group and s its surprisal, both means over its models, and β the slope of the line
    between the two groups 0 and 1 that have s between theirs, 1 being a share t of the way from 0:
    y − (1 − t) y₀ − t y₁. To first order y and s of every model enter as y − β s, so that documents
    that move both move the difference by what is left. Seeds are taken to scatter as much in one
    group as in any other of the family.

    Parameters
    ----------
    line : two groups or more, in any order.
    family : groups whose scatter over seeds is pooled, those of the line and `group` among them.
    numbers : of their models.
    place : of the observable.

    Returns
    -------
    With an interval over seeds and documents; None where the line has no such surprisal, or a group
    no such number.
    """
    reading = Place(place.dataset, None, None, None, "surprisal")
    pairs_of = {of["group"]: _pairs(of, numbers, reading, place) for of in family}
    pairs_of = {name: pairs for name, pairs in pairs_of.items() if pairs}
    mean = {
        name: (fmean(s.value for s, _ in pairs), fmean(y.value for _, y in pairs))
        for name, pairs in pairs_of.items()
    }
    here = group["group"]
    if here not in mean:
        return None
    at = mean[here][0]
    ordered = sorted((of["group"] for of in line if of["group"] in mean), key=lambda of: mean[of])
    for first, second in pairwise(ordered):
        (s_first, y_first), (s_second, y_second) = mean[first], mean[second]
        if s_first <= at <= s_second and s_first < s_second:
            break
    else:
        return None
    slope = (y_second - y_first) / (s_second - s_first)
    share = (at - s_first) / (s_second - s_first)
    weights = {here: 1.0, first: share - 1, second: -share}
    less = {name: [y.less(slope, s) for s, y in pairs] for name, pairs in pairs_of.items()}
    compared = sum(len(pairs_of[name]) for name in (here, first, second))
    return Beside(compared, at, contrast(less, weights, confidence))


def _pairs(of: Group, numbers: Numbers, *places: Place) -> list[tuple[Number, ...]]:
    """Numbers at both places, of those models of a group that have both."""
    each = [tuple(map(numbers[model].get, places)) for model in of["models"]]
    return [
        known
        for pair in each
        if len(known := tuple(n for n in pair if n and not np.isnan(n.value))) == len(places)
    ]
