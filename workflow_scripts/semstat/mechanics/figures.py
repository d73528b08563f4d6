"""Figures of mechanics: terms along real text, and how nearly conserved they are, by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ..figures import (
    LEGEND_LINE,
    MOST_TOLD_APART,
    OKABE_ITO,
    STYLE,
    Figure,
    Style,
    entitle,
    house_style,
    layer_axis,
    legend_of_names,
    shade,
    styles_of,
)
from ..statistics.curve import Interval

Array = NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]

DRAWN = ("log_half_square", ("surprisal", "entropy"))
"""Kinetic term and potential terms of the figures: the logarithmic energies, in one unit (nats)."""

PLACE_NAMES = {"before_norm": "before the final norm", "after_norm": "after the final norm"}

NULL_MARKERS = {
    "order": ("D", "velocity across shuffled token order"),
    "embedding": ("^", "velocity of the token embeddings"),
}

HOLLOW: Any = {"ms": 3, "markerfacecolor": "white", "markeredgewidth": 0.7, "linestyle": "none"}

NUMBER_LABELS = {
    "variance_ratio": "Var(K + V) / (Var K + Var V)",
    "cv": "coefficient of variation of K + V",
}

COLUMNS = 3
"""Of a legend."""

TITLE = 32
"""Letters of a line of a column's title."""


class Trajectory(NamedTuple):
    """One document as one model at its last layer sees it.

    position_t : (states,) positions in the document.
    kinetic_t : (states,) ln(½‖v‖²).
    potential_t : (states,) surprisal, nats.
    """

    label: str
    position_t: Array
    kinetic_t: Array
    potential_t: Array


def draw_trajectories(trajectories: Sequence[Trajectory], title: str) -> Figure:
    """Draw K = ln(½‖v‖²), V = surprisal, and K + V along one document, a column a model.

    Dashed: the document's mean; shaded: one standard deviation about it. All panels of one row
    have the same scale.
    """
    with house_style():
        figure = Figure(figsize=(1.0 + 2.8 * len(trajectories), 4.4))
        panels = figure.subplots(3, len(trajectories), sharex=True, sharey="row", squeeze=False)
        labels = ["K = ln(½‖v‖²)", "V = surprisal  [nats]", "K + V"]
        for column, (label, position_t, kinetic_t, potential_t) in zip(
            panels.T, trajectories, strict=True
        ):
            series = [kinetic_t, potential_t, kinetic_t + potential_t]
            for axes, value_t, color in zip(column, series, OKABE_ITO, strict=False):
                mean, sd = value_t.mean(), value_t.std(ddof=1)
                axes.axhspan(mean - sd, mean + sd, color=color, alpha=0.15, linewidth=0)
                axes.axhline(mean, color=color, linewidth=0.6, linestyle="--")
                axes.plot(position_t, value_t, color=color, linewidth=0.7)
                axes.annotate(
                    f"sd {sd:.2g}", (1, 1), xycoords="axes fraction",
                    ha="right", va="bottom", fontsize=6,
                )  # fmt: skip
            column[0].set_title(fill(label, TITLE), loc="left")
            column[-1].set_xlabel("position in the document")
        for axes, name in zip(panels[:, 0], labels, strict=True):
            axes.set_ylabel(name)
        figure.align_ylabels()
        lines = max(fill(of.label, TITLE).count("\n") for of in trajectories)
        figure.set_figheight(figure.get_figheight() + LEGEND_LINE * lines)
        entitle(figure, title)
    return figure


def draw_conservation(lines: Mapping[str, Rows], number: str, title: str) -> Figure:
    """Draw how nearly ln(½‖v‖²) + V is conserved, layer by layer, against its nulls.

    Filled: the model's own velocity, with its interval over documents. Hollow: the velocity across
    shuffled token order (diamonds), and that of the token embeddings (triangles). Shaded, of up to
    `MOST_TOLD_APART` models: what pairing K with V by chance gives, in the wider way.

    Parameters
    ----------
    lines : model → rows of its mechanics table on one dataset, each with its `blocks`.
    number : a key of `NUMBER_LABELS`.
    """
    kinetic, potentials = DRAWN
    with house_style():
        banded = len(lines) <= MOST_TOLD_APART
        nulls = _legend_of_nulls(number, banded)
        figure = Figure(figsize=(5.6, 4.2))
        panels = figure.subplots(2, 2, sharex=True, sharey="col")
        layers = [np.array(sorted({row["layer"] for row in rows})) for rows in lines.values()]
        blocks = [rows[0]["blocks"] for rows in lines.values()]
        places = layer_axis(panels[1], layers, blocks)
        styles = styles_of(lines)
        for row, place in zip(panels, PLACE_NAMES, strict=True):
            for axes, potential in zip(row, potentials, strict=True):
                chosen = ("energy", kinetic, potential, place)
                for (label, rows), place_l in zip(lines.items(), places, strict=True):
                    column = _of(rows, chosen)
                    _draw_model(axes, column, place_l, number, styles[label], banded)
                axes.set_title(f"V = {potential}, {PLACE_NAMES[place]}", loc="left")
        called = figure.supylabel(NUMBER_LABELS[number], fontsize=STYLE["axes.titlesize"])
        entitle(figure, title)
        others = {handle.get_label(): handle for handle in nulls}
        legend_of_names(figure, styles, others, COLUMNS, marker="o", ms=3)
        figure.draw_without_rendering()  # so that panels have their places
        called.set_y((panels[0, 0].get_position().y1 + panels[1, 0].get_position().y0) / 2)
    return figure


def _of(rows: Rows, chosen: tuple[str, ...]) -> dict[str, Array]:
    """The columns of one combination of terms at one place, by layer."""
    keys = ("form", "kinetic", "potential", "place")
    picked = [row for row in rows if tuple(row[key] for key in keys) == chosen]
    numbers = [key for key, value in picked[0].items() if not isinstance(value, str)]
    return {
        key: np.array([np.nan if row[key] is None else row[key] for row in picked], dtype=float)
        for key in numbers
    }


def _draw_model(
    axes: Axes,
    column: Mapping[str, Array],
    layer_l: Array,
    number: str,
    style: Style,
    banded: bool,
) -> None:
    """Numbers of one model against where its layers are."""
    color, dash = style
    prefix = number.removeprefix("variance_")
    value_l, low_l, high_l = Interval.of(column, number)
    axes.vlines(layer_l, low_l, high_l, color, linewidth=0.8)
    axes.plot(layer_l, value_l, color=color, linestyle=dash, marker="o", ms=3)
    for null, (marker, _) in NULL_MARKERS.items():
        axes.plot(layer_l, column[f"{prefix}_{null}"], marker, color=color, **HOLLOW)
    if number == "variance_ratio":
        if banded:
            chance_l = np.minimum(column["shuffled_low"], column["shifted_low"])
            shade(axes, layer_l, chance_l, 2 - chance_l, color, alpha=0.15)
        axes.axhline(1, color="0.6", linewidth=0.6, zorder=0)
    else:
        axes.plot(layer_l, column["cv_shuffled"], color=color, linestyle=":", linewidth=0.8)


def _legend_of_nulls(number: str, banded: bool) -> list[Any]:
    by_chance: Any = {"label": "K and V paired by chance", "color": "0.4"}
    if number == "variance_ratio":
        paired: Any = Patch(alpha=0.3, linewidth=0, **by_chance)
    else:
        paired = Line2D([], [], linestyle=":", linewidth=0.8, **by_chance)
    marks = [
        Line2D([], [], color="0.4", marker=marker, label=label, **HOLLOW)
        for marker, label in NULL_MARKERS.values()
    ]
    return [*marks, paired] if banded or number != "variance_ratio" else marks
