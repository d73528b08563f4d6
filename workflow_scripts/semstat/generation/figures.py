"""Figures by position: entropies, schedules of the sampling temperature, and a target held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from ..figures import (
    OKABE_ITO,
    Figure,
    entitle,
    house_style,
    legend_below,
    legend_of_names,
    legend_of_order,
    ramp,
    shade,
    styles_of,
)
from ..statistics.curve import Interval
from .tables import FOUND_ON, HELD_OUT

Array = NDArray[np.float64]

Rows = Sequence[Mapping[str, Any]]

PER_DECADE = 12
"""Points of a line for each factor of ten in position; the first positions stand alone."""

PANELS = {
    "marginal": "marginal, and its cap (dotted)",
    "extrapolated": "of many runs (dashed), and bounds",
    "conditional": "conditional",
    "divergence": "their difference, and ln runs (dotted)",
}
"""Columns drawn in panels of their own, with titles."""

BOUNDS = (
    ("marginal", ":", "cap"),
    ("extrapolated", "-", "marginal"),
    ("extrapolated", ":", "cross"),
)
"""What else a panel has: the panel, how it is drawn, and the column."""

COLUMNS = 3
"""Panels beside each other, where there is one a condition."""

NAME = 28
"""Letters of a name that such a panel has room for."""


def draw_entropies(conditions: Mapping[str, Rows], title: str) -> Figure:
    """Draw marginal and conditional entropies by position, and how far apart they are.

    Parameters
    ----------
    conditions : by what they are to be called, in order, the rows of an entropies table of one
        group of prompts.
    """
    colors = ramp(conditions)
    with house_style():
        figure = Figure(figsize=(5.6, 4.6))
        panels = dict(zip(PANELS, figure.subplots(2, 2, sharex=True).flat, strict=True))
        for color, rows in zip(colors.values(), conditions.values(), strict=True):
            at = Binned.of(rows)
            for name, axes in panels.items():
                at.draw(axes, rows, name, "--" if name == "extrapolated" else "-", color)
            for name, dash, beside in BOUNDS:
                at.draw(panels[name], rows, beside, dash, color, False, linewidth=0.8)
            limit = np.log([row["runs"] for row in rows])
            panels["divergence"].plot(at.position, at.mean(limit), ":", color="0.3", linewidth=0.8)
        for name, axes in panels.items():
            axes.set_title(PANELS[name], loc="left")
            axes.set_ylim(0, frame_lines(axes)[1])
        for name in ("marginal", "conditional"):
            panels[name].set_ylabel("entropy  [nats]")
        for name in ("conditional", "divergence"):
            position_axis(panels[name])
        entitle(figure, title)
        legend_of_order(figure, "sampling temperature", colors)
    return figure


def draw_schedules(schedules: Mapping[str, tuple[Array, Array]], title: str) -> Figure:
    """Draw sampling temperatures by position: as solved, and as they are used.

    Parameters
    ----------
    schedules : by name, (positions, 3) sampling temperature, marginal entropy and whether the
        target was reached, of each position as it was solved; and (positions,) the schedule.
    """
    with house_style():
        figure = Figure(figsize=(3.6, 3.0))
        axes = figure.subplots()
        styles = styles_of(schedules)
        for name, (solved_t3, schedule_t) in schedules.items():
            color, dash = styles[name]
            position_t = np.arange(1, len(schedule_t) + 1)
            solved_t, reached_t = solved_t3[:, 0], solved_t3[:, 2] > 0
            dots = {"color": color, "markersize": 2.5, "markeredgewidth": 0.5, "linestyle": "none"}
            if not np.allclose(solved_t, schedule_t, rtol=1e-3):
                axes.plot(position_t[reached_t], solved_t[reached_t], ".", alpha=0.3, **dots)
            axes.plot(position_t[~reached_t], solved_t[~reached_t], "x", alpha=0.7, **dots)
            axes.plot(position_t, schedule_t, color=color, linestyle=dash)
        axes.set_ylabel("sampling temperature")
        position_axis(axes)
        entitle(figure, title)
        legend_of_names(figure, styles, columns=3)
    return figure


def draw_held(conditions: Mapping[str, Rows], target: float, title: str) -> Figure:
    """Draw marginal entropies against the target that they are to hold, a panel a condition.

    Parameters
    ----------
    conditions : by name, rows of an entropies table, of the prompts that schedules were found on
        and of those held out.
    target : nats.
    """
    rows_of_panels = -(-len(conditions) // COLUMNS)
    columns = min(COLUMNS, len(conditions))
    groups: dict[str, tuple[str, Any]] = {
        FOUND_ON: (OKABE_ITO[4], "--"),
        HELD_OUT: (OKABE_ITO[0], "-"),
    }
    with house_style():
        figure = Figure(figsize=(0.6 + 1.9 * columns, 0.8 + 1.5 * rows_of_panels))
        panels = figure.subplots(rows_of_panels, columns, sharex=True, sharey=True, squeeze=False)
        for axes in panels.flat[len(conditions) :]:
            axes.set_visible(False)
        for axes, (name, rows) in zip(panels.flat, conditions.items(), strict=False):
            for group, (color, dash) in groups.items():
                chosen = [row for row in rows if row["prompts"] == group]
                if not chosen:
                    continue
                at = Binned.of(chosen)
                at.draw(axes, chosen, "marginal", dash, color, group == HELD_OUT)
                if group == HELD_OUT:
                    _draw_noise(axes, chosen, at, target)
            axes.axhline(target, color="0.2", linewidth=0.6, zorder=1)
            axes.set_title(fill(name, NAME), loc="left")
        panels[0, 0].set_ylim(frame_lines(*panels.flat))
        for axes in panels[:, 0]:
            axes.set_ylabel("marginal entropy\n[nats]")
        for axes in _lowest(panels, len(conditions)):
            position_axis(axes)
        entitle(figure, f"{title}, target {target:g} nats")
        drawn = {row["prompts"] for rows in conditions.values() for row in rows}
        entries: dict[str, Any] = {
            group: Line2D([], [], color=color, linestyle=dash)
            for group, (color, dash) in groups.items()
            if group in drawn
        }
        if HELD_OUT in drawn:
            entries["noise of the runs"] = Patch(color="0.5", alpha=0.3, linewidth=0)
        legend_below(figure, entries.values(), entries, 3)
    return figure


def _draw_noise(axes: Axes, rows: Rows, at: Binned, target: float) -> None:
    """Where the mean over prompts would be twice in three times if it were the target."""
    noise = at.mean(np.array([row["noise"] / np.sqrt(row["documents"]) for row in rows]))
    shade(axes, at.position, target - noise, target + noise, "0.5", alpha=0.3)


class Binned(NamedTuple):
    """Positions in bins of equal width in ln position, so that a line is no thicket.

    first_g : (groups,) index of the first position of each.
    count_g : (groups,) positions in each.
    position : (groups,) geometric mean of them.
    """

    first_g: NDArray[np.int64]
    count_g: NDArray[np.int64]
    position: Array

    @classmethod
    def of(cls, rows: Rows) -> Binned:
        """Bins of rows by position, from 1 on."""
        positions = len(rows)
        bins = max(1, round(PER_DECADE * np.log10(positions))) + 1
        edge_g = np.unique(np.round(np.geomspace(1, positions + 1, bins)).astype(np.int64))
        first_g, count_g = edge_g[:-1] - 1, np.diff(edge_g)
        log_position = np.log(np.arange(1, positions + 1))
        return cls(first_g, count_g, np.exp(np.add.reduceat(log_position, first_g) / count_g))

    def mean(self, value_t: Array) -> Array:
        """(groups,) means; NaN where one is."""
        mean_g: Array = np.add.reduceat(value_t, self.first_g) / self.count_g
        return mean_g

    def draw(
        self,
        axes: Axes,
        rows: Rows,
        name: str,
        dash: str,
        color: Any,
        banded: bool = True,
        **line: Any,
    ) -> None:
        """A number by position, with the bounds of single positions on average over a bin."""
        value, low, high = (self.mean(part) for part in Interval.of_rows(rows, name))
        if banded:
            shade(axes, self.position, low, high, color, alpha=0.2)
        axes.plot(self.position, value, dash, color=color, **({"linewidth": 1.0} | line))


def frame_lines(*panels: Axes) -> tuple[float, float]:
    """Limits of an axis that show all lines; few prompts have bands far wider."""
    y = np.concatenate([line.get_ydata() for axes in panels for line in axes.lines])
    least, most = float(np.nanmin(y)), float(np.nanmax(y))
    margin = 0.15 * (most - least or 1.0)
    return least - margin, most + margin


def position_axis(axes: Axes) -> None:
    """Let the horizontal axis be the position in the text, logarithmic."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("position  [tokens written]")


def _lowest(panels: NDArray[Any], shown: int) -> list[Axes]:
    """The lowest panel of each column."""
    columns = panels.shape[1]
    below = [panels.flat[i] for i in range(shown) if i + columns >= shown]
    for axes in below:
        axes.xaxis.set_tick_params(labelbottom=True)
    return below
