"""Figures of what goes with low energy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ..figures import (
    OKABE_ITO,
    Figure,
    energy_axis,
    entitle,
    house_style,
    legend_below,
    legend_of_order,
    off_zero,
    ramp,
    shade,
    some_of,
)
from ..statistics.curve import Interval
from .tables import OUTCOMES, STUDIED

Row = Mapping[str, Any]

LABELS = {
    "row_entropy": "entropy of the row / ln length",
    "sink": "share on the first token",
    "itself": "share on the last token itself",
    "before": "share on the token before it",
    "induction": "share on what followed copies",
    "unspent": "share left unspent",
    "stable_rank": "stable rank of the window",
    "rank_residual": "residual from rank one",
    "mean_cosine": "mean cosine in the window",
    "norm": "norm of the state",
}
"""Measures, as figures call them."""

OUTCOME_LABELS = {"energy": "H", "below_zero": "H < 0"}

ACROSS = 5
"""Panels in a row."""

TITLE, NAME = 22, 26
"""Characters of a panel's title in a line, and of a model's name over its map."""

TICKS = 8
"""Layers of a map that are named, at most."""

DRAWN_NULL = "shifted"
"""The null whose band is drawn: the one that keeps what neighbours share."""


def measures_in(rows: Sequence[Row]) -> list[str]:
    """Measures that there are, in order."""
    there = {row["measure"] for row in rows}
    return [measure for measure in STUDIED if measure in there]


def draw_groups(rows: Sequence[Row], title: str) -> Figure:
    """Draw Ω(0⁻) and ⟨H⟩ by quantiles of each measure, a line for each layer.

    Parameters
    ----------
    rows : of `tables.GROUPS`, of one model and dataset.
    """
    numbers = {"below_zero": "Ω(0⁻)", "mean_energy": "⟨H⟩  [probability]"}
    measures = measures_in(rows)
    layers = sorted({row["layer"] for row in rows})
    colors = ramp(layers)
    with house_style():
        figure = Figure(figsize=(1.6 * len(measures) + 0.4, 3.6))
        axes_nm = figure.subplots(len(numbers), len(measures), sharex=True, sharey="row")
        axes_nm = np.reshape(axes_nm, (len(numbers), len(measures)))
        for axes_m, (number, label) in zip(axes_nm, numbers.items(), strict=True):
            axes_m[0].set_ylabel(label)
            for axes, measure in zip(axes_m, measures, strict=True):
                for layer, color in colors.items():
                    chosen = [r for r in rows if (r["layer"], r["measure"]) == (layer, measure)]
                    _points(axes, chosen, number, color)
        for axes, measure in zip(axes_nm[0], measures, strict=True):
            axes.set_title(fill(LABELS[measure], TITLE), loc="left", fontsize=7)
        for axes in axes_nm[-1]:
            axes.set_xlabel("quantile group")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend_of_order(figure, "layer", colors)
        entitle(figure, title)
    return figure


def _points(axes: Axes, rows: Sequence[Row], name: str, color: Any) -> None:
    value, low, high = Interval.of_rows(rows, name)
    group = np.array([row["group"] for row in rows], dtype=float)
    axes.plot(group, value, color=color, marker="o", markersize=2)
    axes.vlines(group, low, high, color=color, linewidth=0.8)


def draw_entropies(rows: Sequence[Row], title: str) -> Figure:
    """Draw S(E) at the last layer by quantiles of each measure, a line for each group.

    Parameters
    ----------
    rows : of `tables.VOLUMES`, of one model and dataset.
    """
    last = max(row["layer"] for row in rows)
    rows = [row for row in rows if row["layer"] == last]
    measures = measures_in(rows)
    groups = max(row["groups"] for row in rows)
    colors = ramp(range(1, groups + 1))
    with house_style():
        figure, panels = _panels(measures)
        for measure, axes in panels:
            for group, color in colors.items():
                chosen = [r for r in rows if (r["measure"], r["group"]) == (measure, group)]
                energy = np.array([row["energy"] for row in chosen])
                with np.errstate(divide="ignore"):
                    value, low, high = (
                        off_zero(energy, np.where(part > 0, np.log(part), np.nan))
                        for part in Interval.of_rows(chosen, "volume")
                    )
                shade(axes, energy, low, high, color, alpha=0.15)
                axes.plot(energy, value, color=color)
            energy_axis(axes)
            axes.set_xticks([-1, -1e-3, 0, 1e-3, 1])
            axes.set_xlabel("E  [probability]")
        legend_of_order(figure, "group", colors)
        figure.supylabel("S(E) = ln Ω(E)", fontsize=8)
        entitle(figure, f"{title}, layer {last}")
    return figure


def draw_associations(rows: Sequence[Row], others: Sequence[Row], title: str) -> Figure:
    """Draw partial rank correlations by layer, a panel a measure, over the band of their null.

    Parameters
    ----------
    rows : of `tables.ASSOCIATIONS`, of one model and dataset.
    others : those of its random twins.
    """
    with house_style():
        figure, panels = _panels(measures_in(rows))
        for measure, axes in panels:
            axes.axhline(0, color="black", linewidth=0.4)
            for outcome, color, aside in zip(OUTCOMES, OKABE_ITO, (-0.1, 0.1), strict=False):
                chosen = _chosen(rows, measure, outcome)
                layer = np.array([row["layer"] for row in chosen], dtype=float)
                of_null = Interval.of_rows(chosen, DRAWN_NULL)
                shade(axes, layer, of_null.low, of_null.high, color, alpha=0.2)
                value, low, high = Interval.of_rows(chosen, "partial")
                axes.plot(layer + aside, value, color=color, marker="o", markersize=2)
                axes.vlines(layer + aside, low, high, color=color, linewidth=0.8)
            for model in dict.fromkeys(row["model"] for row in others):
                of_twin = [row for row in others if row["model"] == model]
                twins = _chosen(of_twin, measure, OUTCOMES[0])
                layer = np.array([row["layer"] for row in twins], dtype=float)
                axes.plot(layer, Interval.of_rows(twins, "partial").value, color="0.6", ls="--")
            axes.set_xlabel("layer")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        names = [f"with {OUTCOME_LABELS[outcome]}" for outcome in OUTCOMES]
        lines: list[Any] = [Line2D([], [], color=color, marker="o") for color in OKABE_ITO[:2]]
        lines.append(Patch(color="0.5", alpha=0.3, linewidth=0))
        names.append("measures shifted round documents")
        if others:
            lines.append(Line2D([], [], color="0.6", ls="--"))
            names.append("random weights, with H")
        legend_below(figure, lines, names, 4)
        figure.supylabel("partial rank correlation", fontsize=8)
        entitle(figure, title)
    return figure


def draw_map(rows: Sequence[Row], others: Sequence[Row], title: str) -> Figure:
    """Draw partial rank correlations with H as a map of layers and measures, a panel a model.

    A cross: within the band of the null; grey: there is none.

    Parameters
    ----------
    rows, others : as for `draw_associations`.
    """
    models = list(dict.fromkeys(row["model"] for row in [*rows, *others]))
    measures = measures_in([*rows, *others])
    of_energy = [row for row in [*rows, *others] if row["outcome"] == OUTCOMES[0]]
    largest = max((abs(row["partial"] or 0.0) for row in of_energy), default=0.0) or 1.0
    with house_style():
        figure = Figure(figsize=(2.2 + 2.4 * len(models), 0.8 + 0.24 * len(measures)))
        panels = np.atleast_1d(figure.subplots(1, len(models), sharey=True))
        colors = matplotlib.colormaps["RdBu"].with_extremes(bad="0.85")
        norm = TwoSlopeNorm(0.0, -largest, largest)
        for axes, model in zip(panels, models, strict=True):
            own = {(r["measure"], r["layer"]): r for r in of_energy if r["model"] == model}
            layers = sorted({layer for _, layer in own})
            value_ml = np.full((len(measures), len(layers)), np.nan)
            for m, measure in enumerate(measures):
                for place, layer in enumerate(layers):
                    row = own.get((measure, layer))
                    if row is None or row["partial"] is None:
                        continue
                    value_ml[m, place] = row["partial"]
                    low, high = (row[f"{DRAWN_NULL}_{bound}"] for bound in ("low", "high"))
                    if low is not None and low <= row["partial"] <= high:
                        axes.plot(place, m, marker="x", color="black", markersize=3, mew=0.6)
            image = axes.imshow(value_ml, cmap=colors, norm=norm, aspect="auto")
            named = some_of(len(layers), TICKS)
            axes.set_xticks(named, [str(layers[place]) for place in named])
            axes.set_xlabel("layer")
            axes.set_title(fill(model, NAME), loc="left")
        panels[0].set_yticks(range(len(measures)), [LABELS[measure] for measure in measures])
        figure.colorbar(image, ax=panels.tolist(), label="partial rank correlation with H")
        entitle(figure, title)
    return figure


def _chosen(rows: Sequence[Row], measure: str, outcome: str) -> list[Row]:
    chosen = [row for row in rows if (row["measure"], row["outcome"]) == (measure, outcome)]
    return sorted(chosen, key=lambda row: row["layer"])


def _panels(measures: Sequence[str]) -> tuple[Figure, Iterator[tuple[str, Axes]]]:
    """A panel for each measure."""
    down = -(-len(measures) // ACROSS)
    figure = Figure(figsize=(1.75 * ACROSS, 1.8 * down + 0.5))
    panels = np.ravel(figure.subplots(down, ACROSS, sharex=True, sharey=True))
    for axes in panels[len(measures) :]:
        axes.set_axis_off()
    for place, (measure, axes) in enumerate(zip(measures, panels, strict=False)):
        axes.set_title(fill(LABELS[measure], TITLE), loc="left", fontsize=7)
        axes.tick_params(labelbottom=place + ACROSS >= len(measures))
    return figure, zip(measures, panels, strict=False)
