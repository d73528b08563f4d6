"""What counts as a repetition well, and as a deeper one: the only place that says so.

Numbers of tables only: no estimator, so that an edit of one recomputes no well.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import nan
from typing import Any

from ..statistics.curve import Interval

SHALLOWEST = -0.01
"""Energy, as probability, that one state in 1,000 (`wells.LEVEL`) has to lie at or below where
there is a well: to these the last token is likelier than the correct one by a hundredth or more.
Half of what a model with random weights says lies below 0 as well, but by its 1/vocabulary.

A convention, chosen after the depths of the models studied here were seen, so no test of anything:
an untrained Mamba 2 of a small vocabulary passes it, at −0.020. Read a verdict beside that of its
null (the random twin)."""


class Verdict(StrEnum):
    """Whether there is a well."""

    WELL = "yes"
    NONE = "no"
    UNDECIDED = "not decided"


class Beside(StrEnum):
    """How deep a well is beside another one."""

    DEEPER = "deeper"
    SHALLOWER = "shallower"
    UNDECIDED = "not told apart"


def depth_of(row: Mapping[str, Any]) -> Interval[float]:
    """The depth that a row of the wells table has; NaN where it is null."""
    return Interval(*(nan if x is None else float(x) for x in Interval.of(row, "depth")))


def verdict(depth: Interval[float]) -> Verdict:
    """Whether there is a well of this depth.

    Parameters
    ----------
    depth : energy that one state in 1,000 lies at or below, and the bounds of its interval,
        probability; NaN where there are fewer states than that.

    Returns
    -------
    That there is one where all of the interval lies at or below `SHALLOWEST`, none where all of it
    lies above, else that it is not decided. At a confidence of 95%, a well just at `SHALLOWEST`
    is nominally said to be there 2.5% of the time, and not to be 2.5% of it.
    """
    if depth.high <= SHALLOWEST:
        return Verdict.WELL
    return Verdict.NONE if depth.low > SHALLOWEST else Verdict.UNDECIDED


def beside(depth: Interval[float], other: Interval[float]) -> Beside:
    """Whether one depth is told to be below or above another one, by intervals that do not overlap.

    Two that do may still differ, above all on the same documents: comparisons tell.
    """
    if depth.high < other.low:
        return Beside.DEEPER
    return Beside.SHALLOWER if depth.low > other.high else Beside.UNDECIDED
