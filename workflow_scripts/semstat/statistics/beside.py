"""What one group of models is like beside others at equal surprisal.

Whatever is done to a model moves both what is looked at and how well the model predicts text, and
something else moves them along another line. At equal surprisal they are compared by going from a
group straight to the other line, which joins its groups in the order of their surprisal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

from .curve import Interval
from .several import Number, contrast

Pair = tuple[Number, Number]
"""Surprisal of a model, nats, and what is looked at."""


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
    here: str, line: Iterable[str], groups: Mapping[str, Sequence[Pair]], confidence: float
) -> Beside | None:
    """How far a group lies above a line of others, at its own surprisal.

    With y of a group and s its surprisal, both means over its models, and β the slope of the line
    between the two groups 0 and 1 that have s between theirs, 1 being a share t of the way from 0:
    y − (1 − t) y₀ − t y₁. To first order y and s of every model enter as y − β s, so that documents
    that move both move the difference by what is left. Seeds are taken to scatter as much in one
    group as in any other.

    Parameters
    ----------
    here : the group.
    line : two groups or more, in any order; those that `groups` lacks are left out.
    groups : models of these, and of all whose scatter over seeds is pooled.

    Returns
    -------
    With an interval over seeds and documents; None where the line has no such surprisal.
    """
    groups = {name: pairs for name, pairs in groups.items() if pairs}
    if here not in groups:
        return None
    mean = {
        name: (fmean(s.value for s, _ in pairs), fmean(y.value for _, y in pairs))
        for name, pairs in groups.items()
    }
    at, _ = mean[here]
    ordered = sorted((name for name in line if name in mean), key=lambda name: mean[name])
    for first, second in pairwise(ordered):
        (s_first, y_first), (s_second, y_second) = mean[first], mean[second]
        if s_first <= at <= s_second and s_first < s_second:
            break
    else:
        return None
    slope = (y_second - y_first) / (s_second - s_first)
    share = (at - s_first) / (s_second - s_first)
    weights = {here: 1.0, first: share - 1, second: -share}
    left = {name: [y.less(slope, s) for s, y in pairs] for name, pairs in groups.items()}
    compared = sum(len(groups[name]) for name in weights)
    return Beside(compared, at, contrast(left, weights, confidence))
