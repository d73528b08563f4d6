"""Figures of groups of trained models: against doses, and repetition against perplexity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..decoding.figures import TWO_TICKS, log_axis, said
from ..decoding.labels import Label, place_labels
from ..errors import InputError
from ..figures import OKABE_ITO, Figure, entitle, house_style, legend_below, marks_of, styles_of
from ..generation.condition_figures import MARKERS, bars_of, limits
from ..statistics.curve import Interval
from ..tables import interval_columns
from .strengths import lines_of_strength

Array = NDArray[np.float64]

Rows = Sequence[Mapping[str, Any]]

READ_PANELS = {
    "surprisal": "surprisal  [nats]",
    "omega": "Ω(0⁻)",
    "runs_energy": "mean H in runs",
    "else_energy": "mean H elsewhere",
}
"""Observables of reading against doses, as panels call them."""

TRADED = {"omega": "Ω(0⁻)", "runs_energy": "mean H in runs"}
"""Those against perplexity."""

WRITTEN_PANELS = {"rep_4": "rep-4", "looping": "loops"}
"""Observables of writing."""

DOSE_LABELS = {"rate": "share of tokens inserted", "rep_2": "rep-2 of the corpus"}

MOST_CONDITIONS = 4
"""Conditions of writing that a figure has room for."""

TITLE = 28
"""Letters of a line of a panel's title."""

LETTERS = 40
"""Letters of a line of a legend."""

HOLLOW: Any = {"markerfacecolor": "w", "markeredgewidth": 0.8}

STAR: Any = {"marker": "*", "markersize": 8, "markeredgewidth": 0.3, "markeredgecolor": "w"}


class Panel(NamedTuple):
    """What one panel shows.

    said : its title.
    rows : of a numbers table, by group.
    """

    said: str
    rows: Mapping[str, Mapping[str, Any]]

    def points(self, groups: Iterable[str]) -> Interval[Array]:
        """(groups,) their numbers; NaN where there is none."""
        none = dict.fromkeys(("value", "value_low", "value_high"))
        return Interval.of_rows([self.rows.get(group, none) for group in groups], "value")

    def head(self, axes: Axes, curves: Sequence[DoseCurve]) -> None:
        """The title of its axes, and how far they reach."""
        axes.set_title(fill(self.said, TITLE), loc="left")
        if rows := self.shown(curves):
            low, high = limits(rows, ["value"])
            least = min(row["value"] for row in rows)
            axes.set_ylim(low if least < 0 else max(low, -0.05 * high), high)

    def shown(self, curves: Sequence[DoseCurve]) -> Rows:
        """Rows of the groups of curves."""
        names = [name for curve in curves for name in curve.names]
        return [self.rows[name] for name in names if name in self.rows]


class DoseCurve(NamedTuple):
    """Groups that a line goes through.

    groups : rows of a groups table, in the order of the line.
    marker : how points look; `linestyle` is none where no line is meant.
    """

    label: str
    groups: Rows
    color: str
    marker: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        return [group["group"] for group in self.groups]

    @property
    def handle(self) -> Line2D:
        """What a legend shows of it."""
        return Line2D([], [], color=self.color, linewidth=0.9, **self.marker)


def panels_of(numbers: Rows, read: Mapping[str, str]) -> list[list[Panel]]:
    """Rows of panels: of observables of reading at the final layer; then of each of writing.

    Parameters
    ----------
    numbers : rows of a numbers table, of one dataset.
    """
    found: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    for row in sorted(numbers, key=lambda row: row["layer"] or 0):  # the last layer stays
        key = row["observable"], row["condition"], row["at"]
        found.setdefault(key, {})[row["group"]] = row
    conditions = [*dict.fromkeys(key[1:] for key in found if key[1] is not None)]
    if len(conditions) > MOST_CONDITIONS:
        chosen = np.linspace(0, len(conditions) - 1, MOST_CONDITIONS).round().astype(int)
        conditions = [conditions[i] for i in chosen]
    wanted = [[((name, None, None), label) for name, label in read.items()]]
    if conditions:
        wanted += [
            [((name, *said), f"{label}, {_condition(*said)}") for said in conditions]
            for name, label in WRITTEN_PANELS.items()
        ]
    return [[Panel(said, found.get(key, {})) for key, said in line] for line in wanted]


def _condition(name: str, at: float | None) -> str:
    return name if at is None else f"{name} at {at:g}"


def draw_doses(groups: Rows, numbers: Rows, title: str) -> Figure:
    """Draw observables against the rate of injection, and against what it makes of the corpus.

    A line goes through the groups of a family that differ in the rate alone; controls are hollow.

    Parameters
    ----------
    groups : rows of a groups table.
    numbers : rows of a numbers table, of one dataset.

    Raises
    ------
    InputError
        If no family has two rates.
    """
    curves, (read, *written) = dose_curves(groups), panels_of(numbers, READ_PANELS)
    if not curves:
        raise InputError("no family of models was trained at two rates: there is no dose to draw")
    side_by_side = [panel for line in written for panel in line]
    lines = [read, *([side_by_side] if 0 < len(side_by_side) <= len(read) else written)]
    columns = max(map(len, lines))
    with house_style():
        figure = Figure(figsize=(0.6 + 1.75 * columns, 0.8 + 1.25 * 2 * len(lines)))
        grid = figure.subplots(2 * len(lines), columns, squeeze=False)
        for half, (dose, label) in zip(np.split(grid, 2), DOSE_LABELS.items(), strict=True):
            for axes_c, line in zip(half, lines, strict=True):
                for axes in axes_c[len(line) :]:
                    axes.set_axis_off()
                for axes, panel in zip(axes_c, line, strict=False):
                    _draw_doses(axes, curves, dose, panel)
            for axes_p in half.T:
                last = [axes for axes in axes_p if axes.axison][-1:]
                for axes in axes_p:
                    axes.xaxis.set_tick_params(labelbottom=axes in last)
                for axes in last:
                    axes.set_xlabel(label)
        entitle(figure, title)
        legend_below(figure, [c.handle for c in curves], [c.label for c in curves], 4)
    return figure


def _draw_doses(axes: Axes, curves: Sequence[DoseCurve], dose: str, panel: Panel) -> None:
    """All curves in one panel."""
    for i, curve in enumerate(curves):
        x = np.array([group[dose] for group in curve.groups], dtype=np.float64)
        _draw(axes, curve, x + _beside(i, curves, dose), panel.points(curve.names))
    panel.head(axes, curves)


def dose_curves(groups: Rows) -> list[DoseCurve]:
    """A curve of each family with two rates or more, and the controls of these, one each."""
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for group in groups:
        if group["rate"] is not None and not group["control"]:
            lines.setdefault(group["family"], []).append(group)
    drawn = {of: line for of, line in lines.items() if len({group["rate"] for group in line}) > 1}
    styles, curves = styles_of(drawn), []
    for family, line in drawn.items():
        ordered = sorted(line, key=lambda group: group["rate"])
        style = {"marker": "o", "markersize": 3}
        curves.append(DoseCurve(family, ordered, styles[family][0], style))
    controls = [g for family in drawn for g in groups if g["control"] and g["family"] == family]
    markers = marks_of((group["group"] for group in controls), MARKERS[1:])
    for group in controls:
        marker = {"marker": markers[group["group"]][0], "markersize": 4}
        style = marker | HOLLOW | {"linestyle": "none"}
        curves.append(DoseCurve(group["group"], [group], styles[group["family"]][0], style))
    return curves


def _beside(place: int, curves: Sequence[DoseCurve], dose: str) -> float:
    """How far a curve's points stand beside their dose, so that all bars are seen."""
    most = max(group[dose] or 0.0 for curve in curves for group in curve.groups)
    return float(0.012 * most * (place - (len(curves) - 1) / 2))


def _draw(axes: Axes, curve: DoseCurve, x: Array, y: Interval[Array]) -> None:
    """Points of a curve with their intervals, and a line through them."""
    there = ~np.isnan(y.value) & ~np.isnan(x)
    if there.any():
        _, _, bars = axes.errorbar(
            x[there],
            y.value[there],
            yerr=bars_of(y)[:, there],
            color=curve.color,
            linewidth=0.9,
            elinewidth=0.6,
            **curve.marker,
        )
        for bar in bars:
            bar.set_alpha(0.5)


def draw_tradeoffs(groups: Rows, numbers: Rows, title: str) -> Figure:
    """Draw repetition when reading and writing against perplexity, a curve an objective.

    A line goes through groups that differ in the strength alone, in its order; its ends are
    labelled with theirs. Stars are the models before. Perplexities have no bars: documents, the
    same ones for all, move all of them alike.

    Parameters
    ----------
    groups : rows of a groups table; families of one objective are left out.
    numbers : rows of a numbers table, of one dataset.

    Raises
    ------
    InputError
        If no family has two objectives.
    """
    curves = tradeoff_curves(groups)
    if not curves:
        raise InputError("no family of models was trained by two objectives: nothing is traded")
    lines = panels_of(numbers, TRADED)
    [perplexity] = panels_of(numbers, {"perplexity": ""})[0]
    # Those of reading stand one below the other, left of those of each condition.
    columns = [lines[0], *map(list, zip(*lines[1:], strict=True))]
    with house_style():
        figure = Figure(figsize=(0.6 + 2.0 * len(columns), 4.2))
        grid = figure.subplots(2, len(columns), sharex=True, squeeze=False)
        panels = [*zip(grid.T.flat, [panel for column in columns for panel in column], strict=True)]
        perplexity_axis(grid[0, 0], perplexity.shown(curves))
        for axes, panel in panels:
            for curve in curves:
                x = perplexity.points(curve.names).value
                _draw(axes, curve, x, panel.points(curve.names))
            panel.head(axes, curves)
        for axes in grid[-1]:
            axes.set_xlabel("perplexity")
        entitle(figure, title)
        legend_below(figure, [c.handle for c in curves], [c.label for c in curves], 3)
        figure.draw_without_rendering()
        for axes, panel in panels:
            _label_ends(axes, curves, perplexity, panel)
    return figure


def perplexity_axis(axes: Axes, rows: Rows) -> None:
    """Let the horizontal axis be linear where perplexities are close, or else logarithmic."""
    value = np.array([row["value"] for row in rows])
    close = value.max() < TWO_TICKS * value.min()
    drawn = [interval_columns({"value": (x, x, x)}) for x in (value if close else np.log(value))]
    low, high = limits(drawn, ["value"])
    if close:
        axes.set_xlim(low, high)
    else:
        log_axis(axes, float(np.exp(low)), float(np.exp(high)))


def tradeoff_curves(groups: Rows) -> list[DoseCurve]:
    """A curve of each objective as it is set but for its strength, and the models before."""
    lines = lines_of_strength(groups)
    colors = marks_of((line[0]["objective"] for line in lines.values()), OKABE_ITO[:-1])
    markers = marks_of(lines, MARKERS)
    curves: list[DoseCurve] = []
    for label, line in lines.items():
        style = {"marker": markers[label][0], "markersize": 3.5}
        color = colors[line[0]["objective"]][0]
        curves.append(DoseCurve(fill(label, LETTERS), line, color, style))
    before = {group["like"] for line in lines.values() for group in line}
    stars = [group for group in groups if group["group"] in before]
    return curves + [DoseCurve(f"{group['group']}, before", [group], "k", STAR) for group in stars]


def _label_ends(axes: Axes, curves: Sequence[DoseCurve], x: Panel, y: Panel) -> None:
    """Write the strengths at both ends of each curve."""
    labels, lines = [], []
    for curve in curves:
        xy = np.stack([panel.points(curve.names).value for panel in (x, y)], axis=1)
        there = ~np.isnan(xy).any(axis=1)
        points = [*zip(xy[there], np.array(curve.groups)[there], strict=True)]
        lines.append(xy[there])
        labels += [
            Label(float(at[0]), float(at[1]), said(group["strength"]), curve.color)
            for at, group in points[:1] + points[1:][-1:]
            if group["strength"] is not None
        ]
    place_labels(axes, labels, [line for line in lines if len(line)])
