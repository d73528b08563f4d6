"""Figures of conditions: error of holding a target against cost, and texts against entropy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from ..figures import OKABE_ITO, Figure, entitle, house_style, legend_below, marks_of
from ..statistics.curve import Interval
from ..tables import interval_columns
from .tables import ALIKE, CONSTANT, FOUND_ON, HELD_OUT

Array = NDArray[np.float64]

Rows = Sequence[Mapping[str, Any]]

MARKERS = "osD^vPX<>"
"""Of conditions; a star is what they are compared with."""

PANELS = {
    "rep_4": "rep-4",
    "in_loops": "tokens in loops  [share]",
    "distinct_2": "distinct bigrams  [share]",
    "surprisal": "ln perplexity  [nats]",
    "rep_4_drift": "drift of rep-4",
    "surprisal_drift": "drift of surprisal  [nats]",
}
"""Columns drawn against entropy, with the labels of their axes."""

DIFFERENCES = {
    "rep_4": "Δ rep-4",
    "in_loops": "Δ tokens in loops",
    "distinct_2": "Δ distinct bigrams",
    "surprisal": "Δ surprisal  [nats]",
    "rep_4_drift": "Δ drift of rep-4",
    "surprisal_drift": "Δ drift of surprisal  [nats]",
}
"""Columns of differences from constants, with the labels of their axes."""


BEYOND = 1.0
"""How far intervals are shown beyond all values, over how far these are apart."""


def draw_costs(rows: Rows, title: str) -> Figure:
    """Draw how far the marginal entropy is off its target, against what the schedule cost.

    Parameters
    ----------
    rows : of a conditions table, those with a target; of prompts found on and held out.
    """
    names = list(dict.fromkeys(row["condition"] for row in rows))
    spent = np.array([row["spent_tokens"] for row in rows], dtype=np.float64)
    least = spent[spent > 0].min() if (spent > 0).any() else 1.0
    with house_style():
        figure = Figure(figsize=(5.6, 3.2))
        panels = figure.subplots(1, 2, sharey=True)
        for axes, part in zip(panels, ("near", "far"), strict=True):
            for name, (color, marker), beside in zip(
                names, _markers(names).values(), _beside(rows, names), strict=True
            ):
                for row in rows:
                    if row["condition"] == name and row[f"rmse_{part}"] is not None:
                        x = max(row["spent_tokens"], least / 20) * beside
                        _draw_error(axes, row, part, x, color, marker)
            axes.set_xscale("log")
            _cost_ticks(axes, spent, least / 20)
            axes.set_xlabel("tokens spent on the schedule")
        fit_to = rows[0]["fit_to"]
        panels[0].set_title(f"positions 1–{fit_to}", loc="left")
        panels[1].set_title(f"positions after {fit_to}", loc="left")
        panels[0].set_ylabel("error from the target  [nats, rms]")
        panels[0].set_yscale("log", nonpositive="clip")
        _show_from(panels, rows)
        plain_numbers(panels[0].yaxis)
        entitle(figure, title)
        _legend(figure, names, {HELD_OUT: "full", FOUND_ON: "none"})
    return figure


def _draw_error(
    axes: Axes, row: Mapping[str, Any], part: str, x: float, color: Any, marker: str
) -> None:
    """One condition's error with its interval, and the noise of its runs as a bar."""
    found_on = row["prompts"] == FOUND_ON
    x *= 1.06 if found_on else 1 / 1.06
    _point(
        axes,
        (x, x, x),
        Interval.of(row, f"rmse_{part}"),
        color,
        marker,
        "none" if found_on else color,
    )
    axes.plot(x, row[f"floor_{part}"], "_", color=color, markersize=7, markeredgewidth=1.0)


def _show_from(panels: Sequence[Axes], rows: Rows) -> None:
    """Let the lower end be half the least error or noise: intervals may go to 0."""
    names = [f"{name}_{part}" for name in ("rmse", "floor") for part in ("near", "far")]
    seen = [row[name] for row in rows for name in names if row[name]]
    if seen:
        panels[0].set_ylim(bottom=min(seen) / 2)


def _beside(rows: Rows, names: Sequence[str]) -> list[float]:
    """Factors that put conditions of about the same cost side by side."""
    cost = {row["condition"]: row["spent_tokens"] for row in rows}
    factors = []
    for name in names:
        alike = [
            other for other in names if abs(np.log((cost[other] + 1) / (cost[name] + 1))) < 0.7
        ]
        factors.append(float(1.3 ** (alike.index(name) - (len(alike) - 1) / 2)))
    return factors


def _cost_ticks(axes: Axes, spent: Array, nothing: float) -> None:
    """Powers of ten, and 0 at the left of them."""
    most = max(spent.max(), 20 * nothing)
    first, last = np.ceil(np.log10([3 * nothing, most])).astype(int).tolist()
    powers = [10.0**power for power in range(first, last + 1)] if spent.any() else []
    axes.set_xticks([nothing, *powers])
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: "0" if value <= nothing * 1.01 else f"{value:,.0f}")
    )
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(nothing / 4, 2.5 * most)


def draw_conditions(rows: Rows, against: str, title: str) -> Figure:
    """Draw what long texts are like against the entropy that they have on average.

    Parameters
    ----------
    rows : of a conditions table, one a condition.
    against : "marginal" or "conditional".
    """
    rows = [row | _surprisal(row) for row in map(dict, rows)]
    constants = sorted(
        (row for row in rows if row["method"] == CONSTANT), key=lambda row: row[against]
    )
    others = [row for row in rows if row["method"] != CONSTANT]
    styles = _markers([row["condition"] for row in others])
    with house_style():
        figure = Figure(figsize=(5.6, 4.2))
        panels = figure.subplots(2, 3, sharex=True)
        for axes, (name, label) in zip(panels.flat, PANELS.items(), strict=True):
            x, y = (Interval.of_rows(constants, key) for key in (against, name))
            axes.errorbar(
                x.value,
                y.value,
                xerr=bars_of(x),
                yerr=bars_of(y),
                color="0.4",
                marker=".",
                markersize=5,
                linewidth=1.0,
                elinewidth=0.6,
            )
            for row in others:
                color, marker = styles[row["condition"]]
                _point(
                    axes,
                    Interval.of(row, against),
                    Interval.of(row, name),
                    color,
                    marker,
                    color,
                )
            axes.set_title(label, loc="left")
            axes.set_ylim(limits(rows, [name]))
            if name.endswith("drift"):
                axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)
        for axes in panels[1]:
            axes.set_xlabel(f"{against} entropy  [nats]")
            axes.set_xlim(limits(rows, [against]))
        entitle(figure, title)
        _legend(figure, [row["condition"] for row in others], {}, bool(constants))
    return figure


def _surprisal(row: Mapping[str, Any]) -> dict[str, float]:
    """The logarithm of a perplexity, which may have no interval."""
    bounds = np.array(Interval.of(row, "perplexity"), dtype=np.float64)
    return interval_columns({"surprisal": np.log(bounds).tolist()})


def draw_comparisons(rows: Rows, title: str) -> Figure:
    """Draw by how much texts differ from those of a constant of the same entropy.

    Constants, which should not, are grey and stand below.

    Parameters
    ----------
    rows : of a comparisons table.
    """
    names = list(dict.fromkeys(row["condition"] for row in rows))
    controls = {row["condition"] for row in rows if row["method"] == CONSTANT}
    names.sort(key=lambda name: name in controls)
    styles = _markers(names)
    styles |= dict.fromkeys(controls, ("0.5", "o"))
    fills: dict[str, Any] = dict(zip(ALIKE, ("full", "none"), strict=True))
    with house_style():
        width = max(5.6, 4.9 + 0.06 * max(map(len, names)))
        figure = Figure(figsize=(width, 1.4 + 0.32 * len(names)))
        panels = figure.subplots(2, 3, sharey=True)
        for axes, (name, label) in zip(panels.flat, DIFFERENCES.items(), strict=True):
            axes.axvline(0, color="0.6", linewidth=0.6, zorder=0)
            for row in rows:
                color, marker = styles[row["condition"]]
                y = names.index(row["condition"]) + 0.3 * (ALIKE.index(row["against"]) - 0.5)
                inside = color if fills[row["against"]] == "full" else "none"
                _point(axes, Interval.of(row, name), (y, y, y), color, marker, inside)
            axes.set_xlabel(label)
            axes.set_xlim(limits(rows, [name], 0.0))
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.set_yticks(range(len(names)), names)
        entitle(figure, title)
        handles = [
            Line2D([], [], color="0.4", marker="o", markersize=4, fillstyle=fill, linestyle="none")
            for fill in fills.values()
        ]
        called = [f"at equal {against} entropy" for against in fills]
        legend_below(figure, handles, called, 2)
    return figure


def _point(
    axes: Axes, x: Sequence[float], y: Sequence[float], color: Any, marker: str, inside: Any
) -> None:
    """One condition with its error bars."""
    x, y = (Interval(*np.array(part, dtype=np.float64)) for part in (x, y))
    axes.errorbar(
        x.value,
        y.value,
        xerr=bars_of(x),
        yerr=bars_of(y),
        color=color,
        marker=marker,
        markersize=4,
        markerfacecolor=inside,
        markeredgewidth=0.8,
        elinewidth=0.7,
        linestyle="none",
    )


def bars_of(interval: Interval[Any]) -> Any:
    """Lengths of error bars; 0 where there is no interval."""
    lengths = np.array([interval.value - interval.low, interval.high - interval.value])
    return np.nan_to_num(lengths).reshape(2, -1)


def plain_numbers(axis: Axis) -> None:
    """Ticks of a logarithmic axis, at 1, 2 and 5 of each decade if these are few."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def limits(rows: Rows, names: Sequence[str], *also: float) -> tuple[float, float]:
    """Limits of an axis: all values of some numbers, and of intervals what is not far beyond.

    Few prompts have intervals so wide that nothing else could be seen.
    """
    value, low, high = np.concatenate([Interval.of_rows(rows, name) for name in names], axis=1)
    least, most = (end(np.append(value, also)) for end in (np.nanmin, np.nanmax))
    beyond = BEYOND * ((most - least) or abs(most) or 1.0)
    bounds = np.nanmin(np.append(low, least)), np.nanmax(np.append(high, most))
    margin = 0.04 * (most - least + 2 * beyond)
    return (
        float(max(bounds[0], least - beyond) - margin),
        float(min(bounds[1], most + beyond) + margin),
    )


def _markers(names: Sequence[str]) -> dict[str, tuple[Any, str]]:
    """A colour and a marker for each condition."""
    return {
        name: (color, marker)
        for name, (color, marker) in marks_of(names, OKABE_ITO, MARKERS).items()
    }


def _legend(
    figure: Figure, names: Sequence[str], fills: Mapping[str, Any], constants: bool = False
) -> None:
    """Conditions by colour and marker, and what else is to be told apart."""
    entries = {
        name: Line2D([], [], color=color, marker=marker, markersize=4, linestyle="none")
        for name, (color, marker) in _markers(names).items()
    }
    if constants:
        entries = {"constants": Line2D([], [], color="0.4", marker=".")} | entries
    for name, fill in fills.items():
        entries[name] = Line2D(
            [], [], color="0.4", marker="o", markersize=4, fillstyle=fill, linestyle="none"
        )
    if fills:
        entries["noise of the runs"] = Line2D(
            [], [], color="0.4", marker="_", markersize=7, linestyle="none"
        )
    legend_below(figure, entries.values(), entries, 4)
