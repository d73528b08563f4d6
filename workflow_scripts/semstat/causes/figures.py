"""Figures of causes: what models are like at each dose, and beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..figures import Figure, entitle, house_style, legend_of_names, styles_of
from ..statistics.curve import Interval

Array = NDArray[np.float64]
Row = Mapping[str, Any]
Place = tuple[str, str | None, float | None]
"""Observable, condition, and the value of its curve."""

READ: Place = ("omega", None, None)

WRITTEN = "rep_4"
"""The observable of writing that is drawn."""

ACROSS = {"surprisal": "surprisal  [nats]", "row_entropy": "entropy of attention rows / ln length"}
"""Observables of reading that others are drawn against, as axes call them."""

MOST_CONDITIONS = 3
"""Of writing, that a figure has room for."""

COLUMNS = 4
"""Panels in a row."""

TITLE = 26
"""Letters of a line of a panel's title."""

MARKER: Any = {"marker": "o", "markersize": 3, "linewidth": 0.9, "elinewidth": 0.6}


def places_of(rows: Sequence[Row]) -> list[Place]:
    """What is drawn: Ω(0⁻) of reading, and rep-4 under some conditions of writing.

    They are of those that the most causes have.
    """
    causes: dict[Place, set[str]] = {}
    for row in rows:
        if row["observable"] == WRITTEN:
            place = (WRITTEN, row["condition"], row["at"])
            causes.setdefault(place, set()).add(row["cause"])
    most = max(map(len, causes.values()), default=0)
    chosen = sorted((place for place in causes if len(causes[place]) == most), key=str)
    if len(chosen) > MOST_CONDITIONS:
        spread = np.linspace(0, len(chosen) - 1, MOST_CONDITIONS).round().astype(int)
        chosen = [chosen[i] for i in spread]
    return [READ, *chosen]


def label_of(place: Place) -> str:
    """How figures call it."""
    _, condition, at = place
    if condition is None:
        return "Ω(0⁻) when reading"
    return f"rep-4, {condition}" + (f" at {at:g}" if at is not None else "")


def draw_doses(rows: Sequence[Row], title: str) -> Figure:
    """Draw Ω(0⁻) and repetition at each dose, a panel a cause.

    Parameters
    ----------
    rows : of `tables.CAUSES`, of one dataset.
    """
    causes = [*dict.fromkeys(row["cause"] for row in rows)]
    drawn = [place for cause in causes for place in places_of(_of(rows, cause))]
    places = [*dict.fromkeys(drawn)]
    styles = styles_of(map(label_of, places))
    with house_style():
        columns = min(COLUMNS, len(causes))
        lines = -(-len(causes) // columns)
        figure = Figure(figsize=(0.8 + 1.75 * columns, 0.7 + 1.7 * lines))
        grid = figure.subplots(lines, columns, squeeze=False)
        for axes in grid.flat[len(causes) :]:
            axes.set_axis_off()
        for axes, cause in zip(grid.flat, causes, strict=False):
            mine = _of(rows, cause)
            for place in places_of(mine):
                if at_dose := _at_doses(mine, place):
                    _draw(axes, [*at_dose], [*at_dose.values()], styles[label_of(place)])
            axes.set_title(fill(cause, TITLE), loc="left")
            axes.set_ylim(-0.03, 1.03)
            axes.xaxis.set_major_locator(MaxNLocator(4))
        for axes in grid.flat[max(0, len(causes) - columns) : len(causes)]:
            axes.set_xlabel("dose")
        entitle(figure, title)
        legend_of_names(figure, styles, marker="o", markersize=3)
    return figure


def draw_remains(rows: Sequence[Row], title: str) -> Figure:
    """Draw what causes do to Ω(0⁻) and repetition against what they do to surprisal and attention.

    What lies above the lines of other damage at equal surprisal is not damage's alone. Drawn are
    causes that are beside others and these, or all if none is.

    Parameters
    ----------
    rows : of `tables.CAUSES`, of one dataset.
    """
    read = [row for row in rows if row["observable"] in ACROSS]
    causes = [*dict.fromkeys(row["cause"] for row in read)]
    beside = {row[of] for row in rows if row["against"] is not None for of in ("cause", "against")}
    causes = [cause for cause in causes if cause in beside] or causes
    mine = [row for row in rows if row["cause"] in causes]
    places, across = places_of(mine), [name for name in ACROSS if _has(read, name)]
    styles = styles_of(causes)
    with house_style():
        figure = Figure(figsize=(0.8 + 2.4 * len(places), 0.9 + 2.0 * len(across)))
        grid = figure.subplots(len(across), len(places), squeeze=False, sharey="col", sharex="row")
        for axes_p, name in zip(grid, across, strict=True):
            for axes, place in zip(axes_p, places, strict=True):
                for cause, style in styles.items():
                    of_cause = _of(rows, cause)
                    x = _at_doses(of_cause, (name, None, None))
                    y = _at_doses(of_cause, place)
                    doses = sorted((x.keys() & y.keys()), key=lambda dose: x[dose]["value"])
                    if doses:
                        _draw(axes, [x[d]["value"] for d in doses], [y[d] for d in doses], style)
                axes.set_xlabel(ACROSS[name])
                axes.xaxis.set_major_locator(MaxNLocator(5))
        for axes, place in zip(grid[0], places, strict=True):
            axes.set_title(fill(label_of(place), TITLE), loc="left")
        entitle(figure, title)
        legend_of_names(figure, styles, marker="o", markersize=3)
    return figure


def _of(rows: Iterable[Row], cause: str) -> list[Row]:
    return [row for row in rows if row["cause"] == cause]


def _has(rows: Iterable[Row], observable: str) -> bool:
    return any(row["observable"] == observable for row in rows)


def _at_doses(rows: Iterable[Row], place: Place) -> dict[float, Row]:
    """Rows of what models are like at each dose of one cause, at one place."""
    return {
        row["dose"]: row
        for row in rows
        if (row["observable"], row["condition"], row["at"]) == place
        and row["dose"] is not None
        and row["against"] is None
    }


def _draw(axes: Axes, x: Sequence[float], rows: Sequence[Row], style: tuple[Any, Any]) -> None:
    """Points with their intervals, and a line through them in this order."""
    color, dash = style
    value, low, high = Interval.of_rows(rows, "value")
    bars = np.nan_to_num(np.stack([value - low, high - value]))
    _, _, parts = axes.errorbar(x, value, yerr=bars, color=color, linestyle=dash, **MARKER)
    for part in parts:
        part.set_alpha(0.5)
