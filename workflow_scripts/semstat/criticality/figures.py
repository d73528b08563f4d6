"""Figures of a sweep over sampling temperature and length: phases, and where they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from ..figures import LEGEND_LINE, Figure, entitle, house_style, legend_below, ramp
from ..statistics.curve import Interval
from .tables import BALANCE, CROSSING, HALVES, PEAKS, STEEPEST

Array = NDArray[np.float64]

Rows = Sequence[Mapping[str, Any]]

Writers = Mapping[str, Rows]
"""Rows of a table, by the name of who writes; the first is the one that a figure is of."""

LABELS = {
    "looping": "texts in exact loops",
    "near_looping": "texts in loops",
    "in_loops": "tokens in exact loops",
    "in_near_loops": "tokens in loops",
    "entering": "entering loops  [1/token]",
    "leaving": "leaving loops  [1/token]",
    "rep_4": "rep-4",
    "energy": "mean H",
    "below_zero": "share of H < 0",
    "depth": "depth of the well  [H]",
    "surprisal": "surprisal  [nats]",
    "conditional": "conditional entropy  [nats]",
    "marginal": "marginal entropy  [nats]",
    "autocorrelation_time": "autocorrelation time  [tokens]",
    "heat_capacity": "heat capacity  [1/token]",
    "fisher": "Fisher information  [1/text]",
    "energy_susceptibility": "susceptibility, mean H",
    "energy_binder": "Binder cumulant, mean H",
    "token_susceptibility": "susceptibility, tokens",
    "token_binder": "Binder cumulant, tokens",
}
"""What is drawn, as axes and titles call it."""

SHARES = ("looping", "near_looping", "in_loops", "in_near_loops", "rep_4")
"""Drawn from 0 to 1."""

LOGARITHMIC = (
    *("entering", "leaving", "autocorrelation_time", "fisher"),
    *("energy_susceptibility", "token_susceptibility"),
)
"""Drawn on logarithmic scales."""

KINDS = {
    HALVES: "half of {}",
    BALANCE: "entering = leaving",
    STEEPEST: "steepest {}",
    PEAKS: "peak of {}",
    CROSSING: "crossing of {}",
}
"""How a place is called, by how it is found."""

SWEPT, SAMPLING_TEMPERATURE = "sampling_temperature", "sampling temperature"

ACROSS = 4
"""Panels beside each other, where there is one a writer."""

NAME = 20
"""Letters of a name that such a panel has room for."""

PLACE = 24
"""Letters of a line that says which place of change a row is of."""

UNSURE = ", in fewer than half of the draws"

OUTLINE = [Stroke(linewidth=2.4, foreground="k"), Normal()]
"""White marks are seen on any colour."""


def draw_phases(observables: Writers, crossovers: Writers, name: str, title: str) -> Figure:
    """Draw an observable by sampling temperature and length, a panel a writer.

    Each cell reaches to the middle between its sampling temperature, or length, and the next ones;
    lengths in ratio. Hatched: there is no such number. Marked: where the observable changes.

    Parameters
    ----------
    observables, crossovers : rows of these tables, by writer.
    name : of the observable.
    """
    every = [row[name] for rows in observables.values() for row in rows]
    norm = _norm(name, np.array(every, dtype=np.float64))
    columns = min(ACROSS, len(observables))
    lines = -(-len(observables) // columns)
    with house_style():
        figure = Figure(figsize=(max(3.6, 1.2 + 1.5 * columns), 0.75 + 1.5 * lines))
        panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for axes in panels.flat[len(observables) :]:
            axes.set_visible(False)
        marks: dict[str, Any] = {}
        for axes, (writer, rows) in zip(panels.flat, observables.items(), strict=False):
            mesh = _draw_cells(axes, rows, name, norm)
            places = [row for row in crossovers.get(writer, ()) if row["observable"] == name]
            marks |= _draw_border(axes, places, name)
        length_axis(panels[0, 0], lengths_of([row for of in observables.values() for row in of]))
        for axes in panels[:, 0]:
            axes.set_ylabel("length  [tokens]")
        for at, axes in enumerate(panels.flat[: len(observables)]):
            if at + columns >= len(observables):
                axes.xaxis.set_tick_params(labelbottom=True)
                axes.set_xlabel(SAMPLING_TEMPERATURE)
        figure.colorbar(mesh, ax=panels, label=LABELS[name], aspect=15 * lines, pad=0.01)
        entitle(figure, title)
        name_panels(figure, dict(zip(observables, panels.flat, strict=False)), lines)
        if marks:
            legend_below(figure, marks.values(), marks, 2)
    return figure


def _norm(name: str, value: Array) -> Normalize:
    """The scale of colours."""
    if name in SHARES:
        return Normalize(0, 1)
    known = value[value > 0] if name in LOGARITHMIC else value[~np.isnan(value)]
    if not len(known):
        return Normalize(0, 1)
    return (LogNorm if name in LOGARITHMIC else Normalize)(known.min(), known.max())


def _draw_cells(axes: Axes, rows: Rows, name: str, norm: Normalize) -> Any:
    """Cells of one writer, and ticks at the sampling temperatures that there are."""
    temperatures = sorted({row[SWEPT] for row in rows})
    lengths = lengths_of(rows)
    value_ho = np.full((len(lengths), len(temperatures)), np.nan)
    for row in rows:
        at = lengths.index(row["length"]), temperatures.index(row[SWEPT])
        value_ho[at] = np.nan if row[name] is None else row[name]
    if isinstance(norm, LogNorm):
        # Zero is not on a logarithmic scale, but it is a number: it has the lowest colour.
        value_ho = np.maximum(value_ho, float(norm.vmin or 0))
    axes.patch.set(facecolor="0.92", hatch="/////", edgecolor="0.7", linewidth=0)
    axes.set_xticks(temperatures, minor=True)
    axes.tick_params(axis="x", which="minor", length=2)
    return axes.pcolormesh(
        np.maximum(borders(np.array(temperatures), 0.1), 0.0),
        np.exp2(borders(np.log2(lengths), 1.0)),
        np.ma.masked_invalid(value_ho),
        norm=norm,
        cmap="cividis",
        edgecolors="face",
        linewidth=0.3,
    )


def borders(place_c: Array, alone: float) -> Array:
    """(cells + 1,) middles between neighbours; the outer ones lie as far out as in.

    Parameters
    ----------
    place_c : ascending.
    alone : width of a single cell.
    """
    steps = np.diff(place_c) if len(place_c) > 1 else np.array([alone])
    outer: Array = np.concatenate([place_c[:1] - steps[0], place_c, place_c[-1:] + steps[-1]])
    return (outer[:-1] + outer[1:]) / 2


def _draw_border(axes: Axes, places: Rows, name: str) -> dict[str, Line2D]:
    """Where the observable changes, by length, with intervals; returns what a legend has to say."""
    entries = {}
    known = [row for row in places if row[SWEPT] is not None]
    x = [row[SWEPT] for row in known]
    axes.plot(x, [row["length"] for row in known], color="w", linewidth=0.8, path_effects=OUTLINE)
    dot: Any = {"marker": "o", "markersize": 3, "path_effects": OUTLINE}
    for row in known:
        where = Interval.of(row, SWEPT)
        mark(axes, where, row["length"], "w", **dot)
        unsure = where.low is None
        label = called(name, row["how"]) + (UNSURE if unsure else "")
        style = dot | {"markerfacecolor": "none" if unsure else "w", "linestyle": "none"}
        entries[label] = Line2D([], [], color="w", **style)
    return entries


def length_axis(axes: Axes, lengths: Sequence[int]) -> None:
    """Let the vertical axis be the length, logarithmic."""
    axes.set_yscale("log", base=2)
    axes.set_yticks(lengths)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def name_panels(figure: Figure, panels: Mapping[str, Axes], down: int) -> None:
    """Titles of panels; the figure grows by the lines that these take.

    Parameters
    ----------
    panels : by what they are to be called.
    down : rows that these are in.
    """
    names = [fill(name, NAME) for name in panels]
    for name, axes in zip(names, panels.values(), strict=True):
        axes.set_title(name, loc="left")
    further = down * max((name.count("\n") for name in names), default=0)
    figure.set_figheight(figure.get_figheight() + LEGEND_LINE * further)


def mark(axes: Axes, x: Interval[Any], y: float, color: Any, **more: Any) -> None:
    """A sampling temperature with its interval; hollow where it has none."""
    inside = "none" if x.low is None else color
    bounds = None if x.low is None else [[x.value - x.low], [x.high - x.value]]
    style: dict[str, Any] = {
        "marker": "o",
        "markersize": 3.2,
        "markeredgewidth": 0.8,
        "elinewidth": 0.9,
    } | more
    style |= {"color": color, "markerfacecolor": inside}
    axes.errorbar([x.value], [y], xerr=bounds, linestyle="none", **style)


def lengths_of(rows: Rows) -> list[int]:
    """Lengths that there are, ascending."""
    return sorted({row["length"] for row in rows})


def draw_crossovers(crossovers: Writers, title: str) -> Figure:
    """Draw where along the sweep each observable changes, for each length, a panel a writer.

    The first writer in colours of lengths, the others grey. At "none": all prompts together have no
    such place; hollow: fewer than half of the draws of prompts do.

    Parameters
    ----------
    crossovers : rows of the table, by writer.
    """
    every = [row for rows in crossovers.values() for row in rows]
    kinds = sorted({(row["observable"], row["how"]) for row in every}, key=_order)
    lengths = lengths_of(every)
    with house_style():
        row_height = max(0.34, 0.07 * (1.2 + len(lengths)))
        figure = Figure(figsize=(1.8 + 1.4 * len(crossovers), 1.0 + row_height * len(kinds)))
        panels = figure.subplots(1, len(crossovers), sharex=True, sharey=True, squeeze=False)[0]
        none = _axis_of_places(panels[0], every)
        for axes, rows in zip(panels, crossovers.values(), strict=True):
            first = axes is panels[0]
            colors = ramp(lengths) if first else dict.fromkeys(lengths, "0.4")
            for row in rows:
                beside = (lengths.index(row["length"]) + 0.5) / len(lengths) - 0.5
                y = kinds.index((row["observable"], row["how"])) + 0.75 * beside
                _draw_place(axes, row, y, colors[row["length"]], none)
            for at in range(1, len(kinds), 2):
                axes.axhspan(at - 0.5, at + 0.5, color="0.95", linewidth=0, zorder=-2)
            axes.grid(axis="x", color="0.88", linewidth=0.5)
            axes.set_axisbelow(True)
            axes.set_xlabel(SAMPLING_TEMPERATURE)
        labels = [fill(called(*kind), PLACE) for kind in kinds]
        panels[0].set_yticks(range(len(kinds)), labels)
        panels[0].set_ylim(len(kinds) - 0.5, -0.5)
        entitle(figure, title)
        name_panels(figure, dict(zip(crossovers, panels, strict=True)), 1)
        dot: Any = {"marker": "o", "markersize": 3.2}
        entries = {
            f"{length:,} tokens": Line2D([], [], color=color, **dot)
            for length, color in ramp(lengths).items()
        }
        hollow = Line2D([], [], color="0.4", fillstyle="none", linestyle="none", **dot)
        entries[UNSURE.removeprefix(", ")] = hollow
        legend_below(figure, entries.values(), entries, 5)
    return figure


def called(observable: str, how: str) -> str:
    """A place on the sweep, in words."""
    return KINDS[how].format(LABELS[observable].partition("  [")[0])


def _order(kind: tuple[str, str]) -> tuple[int, int]:
    observable, how = kind
    return list(KINDS).index(how), list(LABELS).index(observable)


def _axis_of_places(axes: Axes, rows: Rows) -> float:
    """Let the horizontal axis have all places, and one more at its end for those that are not."""
    known = np.array(Interval.of_rows(rows, SWEPT))
    known = known[~np.isnan(known)] if not np.isnan(known).all() else np.array([0.0, 1.0])
    least, most = float(known.min()), float(known.max())
    size = (most - least) or 0.1
    none = most + 0.16 * size
    ticks = [tick for tick in MaxNLocator(4).tick_values(least, most) if least <= tick <= most]
    axes.set_xticks([*ticks, none], [*(f"{tick:g}" for tick in ticks), "none"])
    axes.set_xlim(least - 0.05 * size, none + 0.1 * size)
    return none


def _draw_place(axes: Axes, row: Mapping[str, Any], y: float, color: Any, none: float) -> None:
    where = Interval.of(row, SWEPT)
    if where.value is None:
        axes.plot([none], [y], "x", color=color, markersize=3, markeredgewidth=0.8)
    else:
        mark(axes, where, y, color)
