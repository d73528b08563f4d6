"""The figure of low entropy as a cause of repetition: loops against conditional entropy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..figures import Figure, entitle, house_style
from ..generation.condition_figures import limits
from ..statistics.curve import Interval
from ..tables import interval_columns
from .figures import (
    FAMILY_COLORS,
    GREEDY,
    RESPONSES,
    Condition,
    Rows,
    conditions_of,
    draw_points,
    share_axis,
)

DOSES = {
    "drawn_entropy": "entropy of what is drawn from  [nats]",
    "entropy": "entropy of the model along the text  [nats]",
}
"""Conditional entropies, as axes call them."""

STRIP = 0.7
"""Width of the strip of points without any dose, over the largest dose."""


def draw_doses(rows: Rows, title: str) -> Figure:
    """Draw repetition against conditional entropy, in colours of families.

    Where the entropy is 0, since a maximum is taken, points stand side by side in a grey strip:
    conditions one after the other, each in order of its value.

    Parameters
    ----------
    rows : of a decodings table, those of a condition in order of its value.
    """
    conditions = conditions_of(rows)
    with house_style():
        figure = Figure(figsize=(7.4, 0.6 + 1.7 * len(RESPONSES)))
        panels = figure.subplots(len(RESPONSES), len(DOSES), sharex="col", sharey="row")
        for axes_r, (dose, dose_label) in zip(panels.T, DOSES.items(), strict=True):
            placed = _side_by_side(conditions, dose)
            for axes, response in zip(axes_r, RESPONSES, strict=True):
                _dose_axis(axes, rows, dose)
                share_axis(axes, rows, response)
                for condition in placed:
                    color = FAMILY_COLORS[condition.family]
                    draw_points(axes, condition, (dose, response), color, linewidth=0.4)
            axes_r[-1].set_xlabel(dose_label)
        for axes, label in zip(panels[:, 0], RESPONSES.values(), strict=True):
            axes.set_ylabel(label)
        entitle(figure, title, _legend_beside(figure, conditions))
    return figure


def _side_by_side(conditions: Sequence[Condition], dose: str) -> list[Condition]:
    """Conditions without any dose, at places left of 0, and then what has one.

    No line goes from the one to the other, and between conditions one place is empty.
    """
    without, having = (
        [c._replace(rows=of) for c in conditions if (of := _rows_with(c, dose, has))]
        for has in (False, True)
    )
    places = sum(len(condition.rows) + 1 for condition in without)
    most = _most([row[dose] for condition in conditions for row in condition.rows])
    along = (np.arange(places) + 1.5) / (places + 1.5)
    place = iter((STRIP * most * (along - 1)).tolist())
    placed = []
    for condition in without:
        rows = [dict(row) | interval_columns({dose: [next(place)] * 3}) for row in condition.rows]
        next(place)
        placed.append(condition._replace(rows=rows))
    return placed + having


def _rows_with(condition: Condition, dose: str, has: bool) -> Rows:
    """Rows of a condition that have a dose, or those that have none."""
    return [row for row in condition.rows if bool(row[dose]) == has]


def _most(value: Sequence[float]) -> float:
    """The largest dose, or 1 where there is none."""
    return max(value) or 1.0


def _dose_axis(axes: Axes, rows: Rows, dose: str) -> None:
    """Let the horizontal axis be an entropy, with a strip at its left where some have none."""
    value = Interval.of_rows(rows, dose).value.tolist()
    low, high = limits(rows, [dose])
    if 0 in value:
        left = -STRIP * _most(value)
        ticks = [tick for tick in MaxNLocator(4).tick_values(0, high) if 0 < tick <= high]
        if not any(value):
            high, ticks = -0.04 * left, []
        axes.set_xticks([left / 2, *ticks], ["0", *(f"{tick:g}" for tick in ticks)])
        axes.axvspan(left, 0, color="0.95", linewidth=0, zorder=-2)
        low = left
    axes.set_xlim(low, high)


def _legend_beside(figure: Figure, conditions: Sequence[Condition]) -> float:
    """A legend at the right, in which families have headings; the figure grows to its height.

    Returns its width, inches.
    """
    entries: list[tuple[Line2D, str]] = []
    heading = Line2D([], [], linestyle="none")
    for family, color in FAMILY_COLORS.items():
        own = [condition for condition in conditions if condition.family == family]
        if own and family != GREEDY:
            entries.append((heading, family))
        entries += [(condition.handle(color), condition.label) for condition in own]
    handles, labels = zip(*entries, strict=True)
    legend = figure.legend(handles, labels, loc="outside right upper", labelspacing=0.3)
    for handle, text in zip(handles, legend.get_texts(), strict=True):
        if handle is heading:
            text.set_fontweight("bold")
    box = legend.get_window_extent()
    # Letters are a little larger or smaller at other resolutions.
    wanted = 1.03 * box.height / figure.dpi + 0.15
    figure.set_figheight(max(figure.get_figheight(), wanted))
    return float(box.width / figure.dpi)
