"""The figure of a repetition: energy and probability against the number of copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from ..figures import MOST_TOLD_APART, Figure, entitle, house_style, legend_of_order, ramp, shade
from ..statistics.curve import Interval

PANELS = {
    "energy": r"energy  $\langle H \rangle$  [probability]",
    "p_copy": r"$\langle p \rangle$ of the last copy",
}
"""Columns drawn, with the labels of their axes."""


def draw_repetition(rows: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Draw the energy towards the text's own continuation, and the probability of the last copy.

    Parameters
    ----------
    rows : of a repetition table.
    """
    layers = sorted({row["layer"] for row in rows})
    colors = ramp(layers)
    with house_style():
        figure = Figure(figsize=(5.6, 4.2))
        all_axes = figure.subplots(len(PANELS), sharex=True)
        for axes, (name, label) in zip(all_axes, PANELS.items(), strict=True):
            for layer, color in colors.items():
                of_layer = [row for row in rows if row["layer"] == layer]
                _draw(axes, of_layer, name, color, banded=len(layers) <= MOST_TOLD_APART)
            axes.set_ylabel(label)
        all_axes[0].axhline(0, color="0.6", linewidth=0.6, zorder=0)
        all_axes[1].set_ylim(0, 1)
        copies = sorted({row["copies"] for row in rows})
        all_axes[1].set_xscale("log")
        all_axes[1].xaxis.set_major_locator(FixedLocator(copies))
        all_axes[1].xaxis.set_minor_locator(NullLocator())
        all_axes[1].set_xticks(copies, [str(n) for n in copies])
        all_axes[1].set_xlabel("copies of the unit (1: the text itself)")
        figure.align_ylabels()
        entitle(figure, title)
        legend_of_order(figure, "layer", colors, marker=".")
    return figure


def _draw(
    axes: Axes, rows: Sequence[Mapping[str, Any]], name: str, color: Any, banded: bool
) -> None:
    """One layer's line, and its band if there is room."""
    copies = np.array([row["copies"] for row in rows], dtype=np.float64)
    value, low, high = Interval.of_rows(rows, name)
    if banded:
        shade(axes, copies, low, high, color, alpha=0.2)
    axes.plot(copies, value, color=color, marker=".")
