"""The figure of steering: effect against norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from ..figures import MOST_TOLD_APART, Figure, entitle, house_style, legend_of_order, ramp, shade
from ..statistics.curve import Interval

QUANTITY_LABELS = {
    "correct": "ln p(correct) raised by",
    "last": "ln p(last) lowered by",
    "entropy": "entropy raised by",
}

DIRECTED: Any = {"linestyle": "-", "marker": ".", "markersize": 3}

RANDOM: Any = {"linestyle": "--", "marker": "o", "markersize": 2.5, "markerfacecolor": "white"}

IN_PROPORTION: Any = {"linestyle": ":", "color": "0.5", "linewidth": 0.8}

Rows = Sequence[Mapping[str, Any]]


def draw_effects(rows: Rows, title: str) -> Figure:
    """Draw the norm that an effect takes, by J⁺ and by a random direction, and J⁺'s own error.

    Parameters
    ----------
    rows : of an effects table.
    """
    quantities = list(dict.fromkeys(row["quantity"] for row in rows))
    layers = sorted({row["layer"] for row in rows})
    colors = ramp(layers)
    with house_style():
        figure = Figure(figsize=(1.0 + 2.1 * len(quantities), 4.6))
        panels = figure.subplots(2, len(quantities), sharex=True, sharey="row", squeeze=False)
        for (norm, error), quantity in zip(panels.T, quantities, strict=True):
            for layer, color in colors.items():
                banded = len(layers) <= MOST_TOLD_APART
                chosen = [
                    row for row in rows if row["layer"] == layer and row["quantity"] == quantity
                ]
                for axes, name in ((norm, "share"), (error, "error")):
                    of_name = Interval.of_rows(chosen, name)
                    _draw(axes, chosen, of_name, color, DIRECTED, banded)
                _draw_random(norm, chosen, color, banded)
            effect = np.sort(np.unique([abs(row["effect"]) for row in rows]))
            error.plot(effect, 0.3 * effect, **IN_PROPORTION)
            norm.set_title(QUANTITY_LABELS[quantity], loc="left")
            error.set_xlabel("effect  [nats]")
            for axes in (norm, error):
                axes.set_xscale("log")
                axes.set_yscale("log")
                for axis in (axes.xaxis, axes.yaxis):
                    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                    axis.set_minor_formatter(NullFormatter())
        panels[0, 0].set_ylabel(r"norm needed  $\|\delta h\|/\|h\|$")
        panels[1, 0].set_ylabel("relative error of J⁺Δ")
        entitle(figure, title)
        others = {
            "norm by J⁺": Line2D([], [], color="0.3", **DIRECTED),
            "by random directions": Line2D([], [], color="0.3", **RANDOM),
            "in proportion to the effect": Line2D([], [], **IN_PROPORTION),
        }
        legend_of_order(figure, "layer", colors, others, columns=4)
    return figure


def _draw(
    axes: Axes,
    rows: Rows,
    interval: Interval[NDArray[np.float64]],
    color: Any,
    line: Mapping[str, Any],
    banded: bool,
) -> None:
    """One line, and its band if there is room, against the size of the rows' effects."""
    size = np.array([abs(row["effect"]) for row in rows], dtype=np.float64)
    if banded:
        shade(axes, size, interval.low, interval.high, color, alpha=0.2)
    axes.plot(size, interval.value, color=color, **line)


def _draw_random(axes: Axes, rows: Rows, color: Any, banded: bool) -> None:
    """The norm of random directions, where at least half of them reach the effect."""
    known = [
        row
        for row in rows
        if row["random"] is not None and row["share"] is not None and row["random_reached"] >= 0.5
    ]
    share = np.array([row["share"] for row in known], dtype=np.float64)
    norm = Interval(*(share * part for part in Interval.of_rows(known, "random")))
    _draw(axes, known, norm, color, RANDOM, banded)
