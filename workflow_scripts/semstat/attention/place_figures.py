"""The figure of states in repetitions: what they are like by the copies so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from ..figures import Figure, entitle, house_style, legend_of_order, ramp
from ..statistics.curve import Interval
from .tables import NOWHERE, OF_PHRASE, OF_TOKEN

Row = Mapping[str, Any]

LABELS = {
    "energy": "⟨H⟩",
    "relative_norm": "norm / first token's",
    "sink": "share on the first token",
    "itself": "share on the last token itself",
    "induction": "share on what followed copies",
    "row_entropy": "entropy of the row / ln length",
}
"""Measures that are drawn, as panels call them."""

LINES = {OF_TOKEN: "a token in a row", OF_PHRASE: "a phrase"}

TITLE = 22
"""Characters of a panel's title in a line."""


def draw_places(rows: Sequence[Row], title: str) -> Figure:
    """Draw means of measures by how many copies there have been, a line a layer.

    Above copies of a token, below copies of a phrase; dashed: states in neither.

    Parameters
    ----------
    rows : of `tables.PLACES`, of one model and dataset.
    """
    layers = sorted({row["layer"] for row in rows})
    colors = ramp(layers)
    with house_style():
        figure = Figure(figsize=(1.6 * len(LABELS) + 0.4, 3.8))
        grid = figure.subplots(len(LINES), len(LABELS), sharex=True, sharey="col")
        for axes_m, place in zip(grid, LINES, strict=True):
            for axes, measure in zip(axes_m, LABELS, strict=True):
                for layer, color in colors.items():
                    mine = [r for r in rows if (r["layer"], r["measure"]) == (layer, measure)]
                    _draw(axes, [r for r in mine if r["place"] == place], color)
                    for row in mine:
                        if row["place"] == NOWHERE:
                            axes.axhline(row["value"], color=color, linewidth=0.6, ls="--")
                axes.set_xscale("log", base=2)
                axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
                axes.xaxis.set_minor_locator(NullLocator())
            axes_m[0].set_ylabel(LINES[place])
        for axes, label in zip(grid[0], LABELS.values(), strict=True):
            axes.set_title(fill(label, TITLE), loc="left", fontsize=7)
        for axes in grid[-1]:
            axes.set_xlabel("copies so far")
        others = {"elsewhere": Line2D([], [], color="0.4", linewidth=0.6, ls="--")}
        legend_of_order(figure, "layer", colors, others, marker="o", ms=2)
        entitle(figure, title)
    return figure


def _draw(axes: Axes, rows: Sequence[Row], color: Any) -> None:
    """Means with their intervals, by the least copies of each class."""
    ordered = sorted(rows, key=lambda row: row["copies"])
    copies = np.array([row["copies"] for row in ordered], dtype=float)
    value, low, high = Interval.of_rows(ordered, "value")
    axes.plot(copies, value, color=color, marker="o", markersize=2)
    axes.vlines(copies, low, high, color=color, linewidth=0.8)
