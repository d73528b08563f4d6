"""The figure of training logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..figures import DASHES, LEGEND_LINE, Figure, entitle, house_style, shade, styles_of

Log = Mapping[str, NDArray[np.float64]]

Rows = Sequence[Mapping[str, Any]]

SOLID = [dash for dash in DASHES if dash != "--"]
"""Dashes of groups that are no controls."""

PANELS = {
    "surprisal": "surprisal  [nats]",
    "energy": "mean H",
    "below_zero": "share of H < 0",
}


def draw_logs(groups: Rows, logs: Mapping[str, Log], title: str) -> Figure:
    """Draw what is logged in training against tokens: a column a family, a line a group.

    A line is the mean over the models of a group, shaded from the least to the largest; lines of
    controls are dashed.

    Parameters
    ----------
    groups : rows of a groups table.
    logs : of each trained model, the columns of its training log.
    """
    families: dict[str, list[Mapping[str, Any]]] = {}
    for group in groups:
        if group["objective"]:
            families.setdefault(group["family"], []).append(group)
    legends = LEGEND_LINE * max(map(len, families.values())) + 0.1
    with house_style():
        figure = Figure(figsize=(0.7 + 1.75 * len(families), 0.6 + 1.4 * len(PANELS) + legends))
        *panels, below = figure.subplots(
            len(PANELS) + 1,
            len(families),
            sharex="col",
            sharey="row",
            squeeze=False,
            height_ratios=[*(1.4 for _ in PANELS), legends],
        )
        for axes_f, label in zip(panels, PANELS.values(), strict=True):
            axes_f[0].set_ylabel(label)
        for f, (family, own) in enumerate(families.items()):
            handles = _draw_family([axes_f[f] for axes_f in panels], own, logs)
            panels[0][f].set_title(family, loc="left")
            panels[-1][f].xaxis.set_tick_params(labelbottom=True)
            panels[-1][f].set_xlabel("tokens  [10⁶]")
            below[f].set_axis_off()
            names = [group["group"] for group in own]
            below[f].legend(handles, names, loc="upper left", borderaxespad=0, labelspacing=0.3)
        figure.align_ylabels()
        entitle(figure, title)
    return figure


def _draw_family(panels: Sequence[Any], groups: Rows, logs: Mapping[str, Log]) -> list[Line2D]:
    """The lines of a family in a column of panels; what a legend shows of each."""
    handles = []
    controls = [group["group"] for group in groups if group["control"]]
    styles = styles_of((group["group"] for group in groups if not group["control"]), SOLID)
    styles |= styles_of(controls, ["--"])
    for group in groups:
        color, dash = styles[group["group"]]
        of_models = [logs[model] for model in group["models"].split(",")]
        tokens_t = of_models[0]["tokens"] / 1e6
        for axes, name in zip(panels, PANELS, strict=True):
            value_mt = np.stack([log[name] for log in of_models])
            shade(axes, tokens_t, value_mt.min(axis=0), value_mt.max(axis=0), color, 0.2)
            axes.plot(tokens_t, value_mt.mean(axis=0), color=color, linestyle=dash, linewidth=0.9)
        handles.append(Line2D([], [], color=color, linestyle=dash, linewidth=0.9))
    return handles
