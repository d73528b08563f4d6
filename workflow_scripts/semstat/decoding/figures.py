"""The figure of what methods of decoding trade: repetition against perplexity, by family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..figures import LEGEND_LINE, OKABE_ITO, Figure, entitle, house_style, legend_below, marks_of
from ..generation.condition_figures import MARKERS, bars_of, limits, plain_numbers
from ..statistics.curve import Interval
from ..tables import interval_columns
from .labels import Label, place_labels

Array = NDArray[np.float64]

Rows = Sequence[Mapping[str, Any]]

GREEDY, OTHER = "greedy", "other methods"

FAMILIES = {
    "cutting the tail": ("sampling", "nucleus", "min_p", "typical", "top_k"),
    "refusing repetition": ("penalty", "no_repeat", "dry", "block"),
    "refusing low energy": ("energy_guard", "go_back"),
    OTHER: (),
}
"""Methods that do alike; whatever is not named here is another."""

COLORS = OKABE_ITO[:-1]
"""Of conditions; black is greedy's."""

FAMILY_COLORS = dict(zip(FAMILIES, OKABE_ITO, strict=False)) | {GREEDY: "k"}

RESPONSES = {"rep_4": "rep-4", "in_loops": "tokens in loops", "looping": "texts in loops"}
"""Shares that repetition is measured by, as axes call them."""

BEHIND = "0.85"
"""Grey of what is not of a panel's family."""

NAME = 24
"""Letters of a line of a legend."""

LEAST_SHARE = 0.1
"""To which axes of shares reach at least: what is next to nothing looks so."""

TWO_TICKS = 6.5
"""Ratio of the ends of a logarithmic axis that has two of 1, 2 and 5 in any place."""

STAR: Any = {"marker": "*", "markersize": 7, "markeredgewidth": 0.3, "markeredgecolor": "w"}
"""How greedy decoding is marked, in black."""

BESIDE: Any = {"loc": "upper left", "borderaxespad": 0, "borderpad": 0, "labelspacing": 0.3}
"""Where a legend of a column is, below it."""


class Condition(NamedTuple):
    """A curve, or a point: the rows of one condition, and how it is told from its family.

    color : in a panel of its family alone; FAMILY_COLORS has the family's.
    """

    name: str
    family: str
    rows: Rows
    color: str
    marker: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Its name and the parameter that it is a curve over."""
        parameter = self.rows[0]["parameter"]
        said = self.name if parameter is None else f"{self.name}: {parameter}"
        return fill(said, NAME)

    def handle(self, color: str) -> Line2D:
        """What a legend shows of it."""
        return Line2D([], [], color=color, linewidth=0.8, **self.marker)


def conditions_of(rows: Rows) -> list[Condition]:
    """The conditions, greedy decoding first, then family by family, else as they come.

    Parameters
    ----------
    rows : of a decodings table, those of a condition in order of its value.
    """
    of_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        of_name.setdefault(row["condition"], []).append(row)
    conditions = []
    for family in (GREEDY, *FAMILIES):
        own = {name: of for name, of in of_name.items() if family_of(of[0]["method"]) == family}
        for name, (color, marker) in marks_of(own, COLORS, MARKERS).items():
            style: Mapping[str, Any] = {"marker": marker, "markersize": 3.2}
            if family == GREEDY:
                color, style = FAMILY_COLORS[GREEDY], STAR
            conditions.append(Condition(name, family, own[name], color, style))
    return conditions


def family_of(method: str) -> str:
    """The family of a method; greedy decoding is its own."""
    of_method = {each: family for family, methods in FAMILIES.items() for each in methods}
    return GREEDY if method == GREEDY else of_method.get(method, OTHER)


def draw_tradeoffs(rows: Rows, title: str) -> Figure:
    """Draw repetition against perplexity: a row of panels a measure of it, a column a family.

    A line goes through a condition's points in order of its value; the first and the last are
    labelled with theirs. Greedy decoding is in all panels, other families are grey behind.

    Parameters
    ----------
    rows : of a decodings table, those of a condition in order of its value.
    """
    conditions = conditions_of(rows)
    families = [name for name in FAMILIES if any(c.family == name for c in conditions)] or [GREEDY]
    of_family = [[c for c in conditions if c.family == family] for family in families]
    lines = max(sum(1 + c.label.count("\n") for c in own) for own in of_family)
    legends = LEGEND_LINE * lines + 0.1
    with house_style():
        figure = Figure(figsize=(0.9 + 1.75 * len(families), 1.0 + 1.5 * len(RESPONSES) + legends))
        *panels, below = figure.subplots(
            len(RESPONSES) + 1,
            len(families),
            sharex=True,
            sharey="row",
            squeeze=False,
            height_ratios=[*(1.5 for _ in RESPONSES), legends],
        )
        low, high = np.exp(limits([dict(row) | _surprisal(row) for row in rows], ["surprisal"]))
        log_axis(panels[0][0], low, high)
        for axes_f, (name, label) in zip(panels, RESPONSES.items(), strict=True):
            share_axis(axes_f[0], rows, name)
            axes_f[0].set_ylabel(label)
            for axes, family in zip(axes_f, families, strict=True):
                for condition in conditions:
                    _draw_tradeoff(axes, condition, name, family)
        for axes, family in zip(panels[0], families, strict=True):
            axes.set_title(family, loc="left")
        for axes in panels[-1]:
            axes.xaxis.set_tick_params(labelbottom=True)
            axes.set_xlabel("perplexity")
        for axes, own in zip(below, of_family, strict=True):
            axes.set_axis_off()
            axes.legend([c.handle(c.color) for c in own], [c.label for c in own], **BESIDE)
        entitle(figure, title)
        _legend_of_all(figure, conditions, families)
        figure.draw_without_rendering()
        for axes_f, name in zip(panels, RESPONSES, strict=True):
            for axes, own in zip(axes_f, of_family, strict=True):
                label_ends(axes, own, "perplexity", name)
    return figure


def _surprisal(row: Mapping[str, Any]) -> dict[str, float]:
    """The logarithm of the perplexity."""
    with np.errstate(divide="ignore"):
        bounds = np.log(np.array(Interval.of(row, "perplexity"), dtype=np.float64))
    return interval_columns({"surprisal": bounds.tolist()})


def _draw_tradeoff(axes: Axes, condition: Condition, name: str, family: str) -> None:
    """One condition in a panel of one family."""
    if condition.family in (family, GREEDY):
        draw_points(axes, condition, ("perplexity", name), condition.color, linewidth=0.9)
        return
    x, y = (Interval.of_rows(condition.rows, key).value for key in ("perplexity", name))
    marker = "." if len(condition.rows) == 1 else ""
    axes.plot(x, y, color=BEHIND, linewidth=0.7, marker=marker, markersize=3, zorder=1)


def draw_points(
    axes: Axes, condition: Condition, names: tuple[str, str], color: str, linewidth: float
) -> None:
    """A condition's points with their intervals in both directions, and a line through them."""
    x, y = (Interval.of_rows(condition.rows, name) for name in names)
    _, _, bars = axes.errorbar(
        x.value,
        y.value,
        xerr=bars_of(x),
        yerr=bars_of(y),
        color=color,
        linewidth=linewidth,
        elinewidth=0.5,
        zorder=4 if condition.family == GREEDY else 3,
        **condition.marker,
    )
    for bar in bars:
        bar.set_alpha(0.45)


def label_ends(axes: Axes, conditions: Sequence[Condition], x: str, y: str) -> None:
    """Write the value at each end of conditions' curves, where these have one."""
    labels = []
    for condition in conditions:
        last = condition.rows[1:][-1:]
        labels += [
            Label(row[x], row[y], said(row["value"]), condition.color)
            for row in (condition.rows[0], *last)
            if row["value"] is not None
        ]
    lines = [np.array([[row[x], row[y]] for row in condition.rows]) for condition in conditions]
    place_labels(axes, labels, lines)


def said(value: float) -> str:
    """A parameter's value in as few letters as it takes."""
    return f"{value:g}".replace("-", "−")


def log_axis(axes: Axes, low: float, high: float) -> None:
    """Let the horizontal axis be logarithmic, its ends set apart where it had no two ticks."""
    apart = max(1.0, float(np.sqrt(TWO_TICKS * low / high)))
    axes.set_xscale("log", nonpositive="clip")
    axes.set_xlim(low / apart, high * apart)
    plain_numbers(axes.xaxis)


def share_axis(axes: Axes, rows: Rows, name: str) -> None:
    """Let the vertical axis be a share, from 0 to the highest bound, or further."""
    value, _, high = Interval.of_rows(rows, name)
    most = max(LEAST_SHARE, float(np.nanmax([value, high])))
    axes.set_ylim(-0.04 * most, 1.06 * most)
    axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)


def _legend_of_all(
    figure: Figure, conditions: Sequence[Condition], families: Sequence[str]
) -> None:
    """What is in panels of all families."""
    entries = {c.label: c.handle(c.color) for c in conditions if c.family == GREEDY}
    for handle in entries.values():
        handle.set_linestyle("none")
    if len(families) > 1:
        entries["methods of other columns"] = Line2D([], [], color=BEHIND, linewidth=0.8)
    if entries and families != [GREEDY]:
        legend_below(figure, entries.values(), entries, 2)
