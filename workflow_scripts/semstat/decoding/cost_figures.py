"""The figure of what methods of decoding cost: tokens per second beside greedy decoding's."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ..figures import Figure, entitle, house_style
from .figures import FAMILY_COLORS, GREEDY, Condition, Rows, conditions_of, log_axis, said
from .labels import SMALL

Array = NDArray[np.float64]

LINE = 0.115
"""Inches of a line of a condition's name."""

STEP = 0.085
"""Inches between values of a condition, one below the other."""

BETWEEN = 0.09
"""Inches between conditions."""

ROOM = 1.3
"""Room at both ends, as a ratio: right of the fastest its value is written."""


def draw_costs(rows: Rows, title: str) -> Figure:
    """Draw how fast each condition writes with each of its values, over greedy decoding.

    Without greedy decoding, tokens per second as they are. What stands still is an arrow at the
    left end.

    Parameters
    ----------
    rows : of a decodings table, those of a condition in order of its value.
    """
    conditions = conditions_of(rows)
    of_greedy = [row["tokens_per_second"] for row in rows if row["method"] == GREEDY]
    is_relative = bool(of_greedy) and of_greedy[0] > 0
    unit = of_greedy[0] if is_relative else 1.0
    speed = np.array([row["tokens_per_second"] / unit for row in rows])
    moving = speed[speed > 0] if (speed > 0).any() else np.ones(1)
    border_c = np.cumsum([0.0, *map(_height, conditions)])
    with house_style():
        figure = Figure(figsize=(4.6, 0.75 + border_c[-1]))
        axes = figure.subplots()
        log_axis(axes, moving.min() / ROOM, moving.max() * ROOM)
        axes.set_ylim(border_c[-1], 0)
        for at, condition in enumerate(conditions):
            top, bottom = border_c[at : at + 2]
            _draw_speeds(axes, condition, top, bottom, unit)
            if at % 2:
                axes.axhspan(top, bottom, color="0.95", linewidth=0, zorder=-2)
        names = [condition.label for condition in conditions]
        axes.set_yticks((border_c[:-1] + border_c[1:]) / 2, names)
        axes.tick_params(axis="y", length=0, labelsize=7)
        if is_relative:
            axes.axvline(1, color="0.6", linewidth=0.6, zorder=0)
        axes.set_xlabel("tokens per second" + (", over greedy decoding's" if is_relative else ""))
        entitle(figure, title)
    return figure


def _height(condition: Condition) -> float:
    """Inches that a condition takes."""
    lines = 1 + condition.label.count("\n")
    return BETWEEN + max(STEP * len(condition.rows), LINE * lines)


def _draw_speeds(axes: Axes, condition: Condition, top: float, bottom: float, unit: float) -> None:
    """A condition's values, one below the other between two heights."""
    speed = np.array([row["tokens_per_second"] / unit for row in condition.rows])
    steps = np.arange(len(speed)) - (len(speed) - 1) / 2
    y = (top + bottom) / 2 + STEP * steps
    left = axes.get_xlim()[0]
    color = FAMILY_COLORS[condition.family]
    axes.plot(np.maximum(speed, left), y, color=color, linewidth=0.6)
    for row, at, height in zip(condition.rows, speed, y, strict=True):
        style = condition.marker if at > 0 else {"marker": "<", "markersize": 4}
        at = max(at, left)
        axes.plot([at], [height], color=color, clip_on=False, **style)
        if row["value"] is not None:
            text = said(row["value"])
            beside = (at, height), (4, 0)
            axes.annotate(text, *beside, textcoords="offset points", va="center", fontsize=SMALL)
