"""Figures of onsets of loops, and of periods that are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from ..figures import Figure, entitle, house_style, legend_of_order, ramp, shade
from ..statistics.curve import Interval
from .onset_tables import (
    CLOSES,
    ENERGY,
    ENTROPY,
    LOOP_ENERGY,
    OBSERVABLES,
    P_CLOSING,
    P_RIVAL,
)

Row = Mapping[str, Any]

LABELS = {
    ENERGY: "H",
    LOOP_ENERGY: "loop energy",
    P_RIVAL: "p(rival)",
    P_CLOSING: "p of the likeliest recent token",
    CLOSES: "share whose top is recent",
    ENTROPY: "entropy  [nats]",
}
"""Observables, as figures call them."""

ACROSS = 3
"""Panels in a row."""


def draw_onsets(rows: Sequence[Row], title: str) -> Figure:
    """Draw observables by lag to an onset, less those of others at the same positions.

    Parameters
    ----------
    rows : of `onset_tables.ONSETS`, of one model and dataset.
    """
    layers = sorted({row["layer"] for row in rows})
    colors = ramp(layers)
    there = {row["observable"] for row in rows}
    observables = [name for name in OBSERVABLES if name in there]
    with house_style():
        figure = Figure(figsize=(7.2, 1.9 * -(-len(observables) // ACROSS)))
        panels = figure.subplots(-(-len(observables) // ACROSS), ACROSS, squeeze=False, sharex=True)
        for axes, name in zip(panels.flat, observables, strict=False):
            axes.axhline(0, color="black", linewidth=0.4)
            axes.axvline(-0.5, color="0.6", linewidth=0.6, linestyle=":")
            for layer, color in colors.items():
                mine = [row for row in rows if (row["layer"], row["observable"]) == (layer, name)]
                mine.sort(key=lambda row: row["lag"])
                lag = np.array([row["lag"] for row in mine], dtype=np.float64)
                value, low, high = Interval.of_rows(mine, "beyond")
                axes.plot(lag, value, color=color, linewidth=1)
                if layer == layers[-1]:
                    shade(axes, lag, low, high, color, alpha=0.2)
                    null = Interval.of_rows(mine, "null_beyond").value
                    axes.plot(lag, null, color="black", linestyle="--", linewidth=0.8)
            axes.set_title(LABELS[name], loc="left")
        for axes in panels.flat[len(observables) :]:
            axes.set_axis_off()
        for axes in panels[-1]:
            axes.set_xlabel("lag to the onset  [tokens]")
        for axes in panels[:, 0]:
            axes.set_ylabel("less others there")
        null_line = Line2D([], [], color="black", linestyle="--", linewidth=0.8)
        others = {f"of another place, layer {layers[-1]}": null_line}
        legend_of_order(figure, "layer", colors, others)
        if not any(row["documents"] for row in rows):
            title += ": no loop of a period that is looked at"
        entitle(figure, title)
    return figure


def draw_found(rows: Sequence[Row], title: str) -> Figure:
    """Draw in how many documents the period put in is found, by copies, a line a layer.

    Parameters
    ----------
    rows : of `onset_tables.FOUND`, of one model and a dataset in which a unit is repeated.
    """
    layers = sorted({row["layer"] for row in rows})
    colors = ramp(layers)
    with house_style():
        figure = Figure(figsize=(4.6, 2.8))
        axes = figure.subplots()
        for layer, color in colors.items():
            mine = sorted(
                (row for row in rows if row["layer"] == layer), key=lambda row: row["copies"]
            )
            copies = np.array([row["copies"] for row in mine], dtype=np.float64)
            value, low, high = Interval.of_rows(mine, "found")
            axes.plot(copies, value, color=color, marker=".")
            axes.vlines(copies, low, high, color=color, linewidth=0.8)
            axes.plot(
                copies, Interval.of_rows(mine, "null").value, color=color, linestyle="--", lw=0.8
            )
        ticks = sorted({row["copies"] for row in rows})
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(ticks, [str(n) for n in ticks])
        axes.set_xlabel("copies of the unit (1: the text itself)")
        axes.set_ylabel("share of documents")
        axes.set_ylim(-0.02, 1.02)
        null_line = Line2D([], [], color="black", linestyle="--", linewidth=0.8)
        others = {"history of another place": null_line}
        legend_of_order(figure, "layer", colors, others, columns=4, marker=".")
        entitle(figure, title)
    return figure
