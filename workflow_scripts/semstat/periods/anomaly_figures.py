"""The figure of anomalies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from ..figures import OKABE_ITO, Figure, entitle, house_style, legend_below
from ..statistics.curve import Interval
from .anomaly_tables import SCORES

Row = Mapping[str, Any]

NAMES = {
    "surprisal": "surprisal",
    "kinetic": "ln K",
    "normed_kinetic": "ln K after the norm",
    "kinetic_and_surprisal": "ln K + surprisal",
    "normed_kinetic_and_surprisal": "ln K + surprisal after the norm",
    "probability": "−p(correct)",
    "energy": "−H",
    "loop_energy": "−loop energy",
}

COLORS = (*OKABE_ITO[:5], "0.6", *OKABE_ITO[5:])
"""Of the scores, that of the probability, which is there to compare with, in grey."""

PANELS = (
    ("state", "area", "area under the ROC, states"),
    ("state", "beyond", "gain over surprisal, states"),
    ("span", "area", "area under the ROC, spans"),
    ("span", "beyond", "gain over surprisal, spans"),
)
"""Of what, which number, and the name of the axis."""


def draw_anomalies(rows: Sequence[Row], model: str) -> Figure:
    """Draw how well scores of the last layer tell replaced spans, and what they add to surprisal.

    Parameters
    ----------
    rows : of `anomaly_tables.ANOMALIES`, of one model.
    """
    layer = max(row["layer"] for row in rows)
    last = [row for row in rows if row["layer"] == layer]
    datasets = list(dict.fromkeys(row["dataset"] for row in last))
    with house_style():
        figure = Figure(figsize=(6.6, 1.4 + 1.1 * len(datasets)))
        panels = figure.subplots(2, 2, sharey=True, sharex="col")
        for axes, (of, number, label) in zip(panels.flat, PANELS, strict=True):
            for place, (score, color) in enumerate(zip(SCORES, COLORS, strict=True)):
                mine = [row for row in last if (row["of"], row["score"]) == (of, score)]
                y = np.array([datasets.index(row["dataset"]) for row in mine])
                y = y + 0.1 * (place - (len(SCORES) - 1) / 2)
                value, low, high = Interval.of_rows(mine, number)
                axes.plot(value, y, color=color, linestyle="none", marker="o", markersize=3)
                axes.hlines(y, low, high, color=color, linewidth=0.8)
            axes.axvline(0.5 if number == "area" else 0, color="black", linewidth=0.4)
            axes.set_xlabel(label)
        panels[0, 0].set_yticks(range(len(datasets)), datasets)
        panels[0, 0].invert_yaxis()
        lines = [Line2D([], [], color=color, marker="o", ms=3, ls="none") for color in COLORS]
        legend_below(figure, lines, [NAMES[score] for score in SCORES], 4)
        entitle(figure, f"{model}, layer {layer}")
    return figure
