"""Figures of a sweep as curves: observables by sampling temperature, and by diversity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from ..figures import (
    DASHES,
    Figure,
    entitle,
    house_style,
    legend_below,
    power_of_ten,
    ramp,
    shade,
)
from ..statistics.curve import Interval
from .figures import (
    LABELS,
    LOGARITHMIC,
    SAMPLING_TEMPERATURE,
    SHARES,
    SWEPT,
    Rows,
    Writers,
    lengths_of,
    mark,
)
from .tables import CROSSING, DIVERSITIES

Array = NDArray[np.float64]

PANELS = {
    "texts": (
        *("looping", "near_looping", "rep_4"),
        *("entering", "leaving", "autocorrelation_time"),
        *("energy", "below_zero", "depth"),
    ),
    "fluctuations": (
        *("heat_capacity", "energy_susceptibility", "energy_binder"),
        *("fisher", "token_susceptibility", "token_binder"),
    ),
}
"""Observables of each figure: what texts are like, and how they fluctuate and respond."""

CUMULANTS = ("energy_binder", "token_binder")

RESPONSES = ("near_looping", "in_near_loops", "rep_4")
"""Observables that are drawn against diversity."""

ACROSS = 3
"""Panels beside each other."""

BEYOND = 0.5
"""How far intervals are shown beyond all values, over how far these are apart."""

GREYS = ("0.25", "0.5", "0.65")


class Line(NamedTuple):
    """Observables of one writer at one length, and how they are drawn.

    label : for a legend.
    rows : of an observables table, ascending in sampling temperature.
    color, dash : of the line.
    first : whether this is the writer that the figure is of.
    """

    label: str
    rows: Rows
    color: Any
    dash: Any
    first: bool

    def of(self, name: str) -> Interval[Array]:
        """(rows,) a number with its bounds, NaN where there are none."""
        return Interval.of_rows(self.rows, name)


def _lines(observables: Writers) -> list[Line]:
    """Each length of the first writer in its colour, and the longest of others in grey."""
    (_, rows), *others = observables.items()
    lines = [
        Line(f"{length:,} tokens", _of_length(rows, length), color, "-", True)
        for length, color in ramp(lengths_of(rows)).items()
    ]
    for at, (writer, of_other) in enumerate(others):
        grey, dash = GREYS[at % len(GREYS)], DASHES[1:][at % (len(DASHES) - 1)]
        longest = lengths_of(of_other)[-1]
        chosen = _of_length(of_other, longest)
        lines.append(Line(f"{writer}, {longest:,} tokens", chosen, grey, dash, False))
    return lines


def _of_length(rows: Rows, length: int) -> Rows:
    return sorted((row for row in rows if row["length"] == length), key=lambda row: row[SWEPT])


def draw_observables(
    observables: Writers, crossovers: Rows, names: Sequence[str], title: str
) -> Figure:
    """Draw observables by sampling temperature, a line a length, and where they change.

    Places of change stand above each panel, with intervals, the shortest length lowest; where
    Binder cumulants cross, lines go down from them.

    Parameters
    ----------
    observables : rows of this table, by writer.
    crossovers : rows of this table of the first writer.
    names : of observables, in order.
    """
    lines = _lines(observables)
    colors = ramp(lengths_of([row for line in lines if line.first for row in line.rows]))
    places = [row for row in crossovers if row[SWEPT] is not None]
    down = -(-len(names) // ACROSS)
    with house_style():
        figure = Figure(figsize=(7.0, 0.7 + 1.75 * down))
        panels = figure.subplots(down, ACROSS, sharex=True, squeeze=False)
        for axes in panels.flat[len(names) :]:
            axes.set_visible(False)
        for axes, name in zip(panels.flat, names, strict=False):
            _scale(axes, name, lines)
            for line in lines:
                x_o = np.array([row[SWEPT] for row in line.rows])
                _draw_line(axes, line, x_o, line.of(name).value, 2.0)
                if line.first:
                    shade(axes, x_o, *line.of(name)[1:], line.color, alpha=0.18)
            _mark_places(axes, [row for row in places if row["observable"] == name], colors)
        for at, (axes, name) in enumerate(zip(panels.flat, names, strict=False)):
            beside = names[at - at % ACROSS :][:ACROSS]
            marked = any(row["observable"] in beside for row in places)
            axes.set_title(LABELS[name], loc="left", pad=4 + 4 * len(colors) * marked)
        for axes in panels[-1]:
            axes.set_xlabel(SAMPLING_TEMPERATURE)
        entitle(figure, title)
        _legend(figure, lines)
    return figure


def draw_diversity(observables: Writers, title: str) -> Figure:
    """Draw how texts loop against the entropies of what they are drawn from, a line a length.

    Parameters
    ----------
    observables : rows of this table, by writer.
    """
    lines = _lines(observables)
    with house_style():
        figure = Figure(figsize=(7.0, 4.2))
        panels = figure.subplots(len(DIVERSITIES), len(RESPONSES), sharex="row", sharey="col")
        for row_of_panels, against in zip(panels, DIVERSITIES, strict=True):
            for axes, name in zip(row_of_panels, RESPONSES, strict=True):
                for line in lines:
                    x, y = line.of(against), line.of(name)
                    _draw_line(axes, line, x.value, y.value, 4.0)
                    if line.first:
                        _draw_bars(axes, x, y, line.color)
                _scale(axes, name, lines)
                axes.set_xlim(_limits([line.of(against) for line in lines], False))
                axes.set_xlabel(LABELS[against])
        for axes, name in zip(panels[0], RESPONSES, strict=True):
            axes.set_title(LABELS[name], loc="left")
        entitle(figure, title)
        _legend(figure, lines)
    return figure


def _draw_line(axes: Axes, line: Line, x_o: Array, y_o: Array, size: float) -> None:
    """One line, with dots that show a number between two that there are not; others' below."""
    width = 1.1 if line.first else 0.9
    above = 2.0 if line.first else 1.5
    axes.plot(
        x_o,
        y_o,
        color=line.color,
        linestyle=line.dash,
        linewidth=width,
        zorder=above,
        marker=".",
        markersize=size,
    )


def _draw_bars(axes: Axes, x: Interval[Array], y: Interval[Array], color: Any) -> None:
    """Intervals in both directions, where there are any."""
    errors = [np.nan_to_num([of.value - of.low, of.high - of.value]) for of in (x, y)]
    axes.errorbar(
        x.value, y.value, errors[1], errors[0], fmt="none", ecolor=color, elinewidth=0.5, alpha=0.6
    )


def _scale(axes: Axes, name: str, lines: Sequence[Line]) -> None:
    """The vertical axis of an observable: all values, and of intervals what is not far beyond."""
    shown = [line.of(name) for line in lines]
    if name in LOGARITHMIC:
        axes.set_yscale("log", nonpositive="clip")
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
    bottom, top = (-0.03, 1.03) if name in SHARES else _limits(shown, name in LOGARITHMIC)
    if name in CUMULANTS:
        axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)
        if bottom < -1:  # where few texts loop it may be as low as minus a third of the texts
            axes.set_yscale("symlog", linthresh=1.0)
            axes.set_yticks([-100, -10, -1, 0])
            axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
            axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(bottom, top)


def _limits(shown: Sequence[Interval[Array]], logarithmic: bool) -> tuple[float, float]:
    """Ends of an axis; any where nothing is known."""
    part = np.concatenate(shown, axis=1)
    if logarithmic:
        part = np.log10(np.where(part > 0, part, np.nan))
    known = part[0][~np.isnan(part[0])]
    if not len(known):
        return 0.1, 1.0
    least, most = float(known.min()), float(known.max())
    beyond = BEYOND * ((most - least) or abs(most) or 1.0)
    low = max(float(np.nanmin(part)), least - beyond)
    high = min(float(np.nanmax(part)), most + beyond)
    margin = 0.04 * ((high - low) or 1.0)
    ends = low - margin, high + margin
    return (10.0 ** ends[0], 10.0 ** ends[1]) if logarithmic else ends


def _mark_places(axes: Axes, places: Rows, colors: Mapping[int, Any]) -> None:
    """Where an observable changes, between its panel and the title."""
    transform = axes.get_xaxis_transform()
    for row in places:
        where, color = Interval.of(row, SWEPT), colors[row["length"]]
        y = 1.035 + 0.045 * list(colors).index(row["length"])
        more: Any = {"transform": transform, "clip_on": False, "markersize": 2.6}
        mark(axes, where, y, color, **more)
        if row["how"] == CROSSING:
            axes.axvline(where.value, color=color, linewidth=0.7, linestyle=":", zorder=1)


def _legend(figure: Figure, lines: Sequence[Line]) -> None:
    """Lengths, then other writers."""
    handles = [Line2D([], [], color=line.color, linestyle=line.dash) for line in lines]
    legend_below(figure, handles, [line.label for line in lines], 4)
