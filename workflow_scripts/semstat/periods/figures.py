"""The figure of periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, MaxNLocator, NullLocator

from ..figures import Figure, entitle, house_style, legend_of_order, ramp
from ..statistics.curve import Interval

Row = Mapping[str, Any]

LINEAR_BELOW = 0.02
"""Shares less those of the null up to which their axis is linear."""


def draw_periods(rows: Sequence[Row], title: str) -> Figure:
    """Draw how often a model would rather close a loop, by period and by layer, beside the null.

    Parameters
    ----------
    rows : of `tables.PERIODS`, of one model and dataset.
    """
    layers = sorted({row["layer"] for row in rows})
    colors = ramp(layers)
    with house_style():
        figure = Figure(figsize=(6.6, 3.0))
        by_period, by_layer = figure.subplots(1, 2, width_ratios=[1.6, 1])
        for layer, color in colors.items():
            mine = [row for row in rows if row["layer"] == layer and row["period"] is not None]
            period = np.array([row["period"] for row in mine])
            value, low, high = Interval.of_rows(mine, "beyond")
            by_period.plot(period, value, color=color, marker="o", markersize=2)
            by_period.vlines(period, low, high, color=color, linewidth=0.8)
        by_period.axhline(0, color="black", linewidth=0.4)
        # The embedding prefers the token that it has just read to a wholly different degree.
        by_period.set_yscale("symlog", linthresh=LINEAR_BELOW)
        ticks = [sign * share for sign in (-1, 1) for share in (0.01, 0.02, 0.1, 1)]
        low, high = by_period.get_ylim()
        by_period.set_yticks([0, *(t for t in ticks if low <= t <= high)])
        by_period.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        by_period.yaxis.set_minor_locator(NullLocator())
        by_period.set_xlabel("period  [tokens]")
        by_period.set_ylabel("share that would close a loop, less null")
        by_period.xaxis.set_major_locator(MaxNLocator(integer=True))
        together = sorted((r for r in rows if r["period"] is None), key=lambda row: row["layer"])
        for name, style in (("share", "-"), ("null", "--")):
            value, low, high = Interval.of_rows(together, name)
            by_layer.plot(layers, value, color="black", linestyle=style, marker="o", markersize=2)
            by_layer.vlines(layers, low, high, color="black", linewidth=0.8)
        by_layer.set_xlabel("layer")
        by_layer.set_ylabel("share, all periods")
        by_layer.set_ylim(bottom=0)
        by_layer.xaxis.set_major_locator(MaxNLocator(integer=True))
        others = {
            "own history": Line2D([], [], color="black"),
            "of another place": Line2D([], [], color="black", linestyle="--"),
        }
        legend_of_order(figure, "layer", colors, others, marker="o", ms=2)
        entitle(figure, title)
    return figure
