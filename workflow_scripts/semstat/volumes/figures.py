"""Figures of volumes: S(E) and T(E) under several measures, a column of panels a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ..figures import (
    WIDTH,
    Figure,
    energy_panels,
    entitle,
    house_style,
    legend_below,
    off_zero,
    shade,
    styles_of,
)
from ..statistics.curve import Interval

Array = NDArray[np.float64]
Columns = Mapping[str, Array]

LEGEND_COLUMNS = 2

TITLE = 72
"""Letters of a line of a panel's title."""

HOTTEST = 100.0
"""Temperature above which nothing is shown."""

MARGIN = 1.0
"""Nats below the lowest value that is shown."""


class Volume(NamedTuple):
    """S(E) of a space.

    measure : its measure in words, and what the last token is held against.
    is_likeliest : whether that is the likeliest other token.
    columns : a table of averages as columns.
    pairs : S(E) of each pair, on its grid.
    """

    measure: str
    is_likeliest: bool
    columns: Columns
    pairs: Sequence[Array]


class Panel(NamedTuple):
    """What one model's panel shows.

    texts : curves tables as columns, by dataset.
    """

    model: str
    volumes: Sequence[Volume]
    texts: Mapping[str, Columns]


def draw_volumes(panels: Sequence[Panel], title: str) -> Figure:
    """Draw S(E) and T(E) by volume, and beside them those of text: the well, and all energies.

    Two rows a model. Nothing is drawn nearer to 0 than the grid tells energies apart.
    """
    measures = list(dict.fromkeys(v.measure for panel in panels for v in panel.volumes))
    texts = list(dict.fromkeys(name for panel in panels for name in panel.texts))
    colors = {name: color for name, (color, _) in styles_of(measures + texts).items()}
    with house_style():
        figure = Figure(figsize=(WIDTH, 0.6 + 4.0 * len(panels)))
        handles: dict[str, Any] = {}
        rows = energy_panels(figure, 2 * len(panels))
        for entropies, temperatures, panel in zip(rows[::2], rows[1::2], panels, strict=True):
            for above, below in zip(entropies, temperatures, strict=True):
                for volume in panel.volumes:
                    _draw_volume(above, volume, colors[volume.measure])
                    _draw_temperature(below, volume, colors[volume.measure])
                for name, columns in panel.texts.items():
                    _draw_text(above, name, columns, colors[name])
                    _draw_temperature_of_text(below, columns, colors[name])
                handles |= {str(line.get_label()): line for line in above.get_lines()}
            entropies[1].set_title(fill(panel.model, TITLE), loc="left")
            entropies[0].set_ylabel(r"$S = \ln\,\Omega$  [nats]")
            entropies[0].set_ylim(_lowest(panels) - MARGIN, MARGIN / 2)
            temperatures[0].set_ylabel(r"$T = (dS/dE)^{-1}$")
            temperatures[0].set_yscale("log")
            temperatures[0].set_ylim(top=HOTTEST)
        entitle(figure, title)
        shown = {label: line for label, line in handles.items() if not label.startswith("_")}
        legend_below(figure, shown.values(), shown.keys(), LEGEND_COLUMNS)
    return figure


def _draw_volume(axes: Axes, volume: Volume, color: str) -> None:
    energy_e, curve = volume.columns["energy"], Interval.of(volume.columns, "entropy")
    dash = "--" if volume.is_likeliest else "-"
    for entropy_e in volume.pairs:
        beside_e = off_zero(energy_e, entropy_e)
        axes.plot(energy_e, beside_e, dash, color=color, linewidth=0.4, alpha=0.35)
    value_e, low_e, high_e = (off_zero(energy_e, part_e) for part_e in curve)
    shade(axes, energy_e, low_e, high_e, color, alpha=0.2)
    axes.plot(energy_e, value_e, dash, color=color, linewidth=1.6, label=volume.measure)
    axes.plot(0, curve.value[energy_e == 0], "o", color=color, markersize=3)


def _draw_temperature(axes: Axes, volume: Volume, color: str) -> None:
    energy_e, curve = volume.columns["energy"], Interval.of(volume.columns, "temperature")
    dash = "--" if volume.is_likeliest else "-"
    value_e, low_e, high_e = (off_zero(energy_e, part_e) for part_e in curve)
    shade(axes, energy_e, low_e, high_e, color, alpha=0.2)
    axes.plot(energy_e, value_e, dash, color=color, linewidth=1.6)


def _draw_temperature_of_text(axes: Axes, columns: Columns, color: str) -> None:
    energy_e, told_e = columns["energy"], columns["extrapolated"] == 0
    curve = Interval.of(columns, "temperature")
    low_e, value_e, high_e = (
        off_zero(energy_e, np.where(told_e, part_e, np.nan))
        for part_e in (curve.low, curve.value, curve.high)
    )
    shade(axes, energy_e, low_e, high_e, color, alpha=0.15)
    axes.plot(energy_e, value_e, ":", color=color)


def _draw_text(axes: Axes, name: str, columns: Columns, color: str) -> None:
    curve = Interval.of(columns, "entropy")
    known_e = columns["volume"] > 0
    low_e, value_e, high_e = (
        off_zero(columns["energy"], np.where(known_e, part_e, np.nan))
        for part_e in (curve.low, curve.value, curve.high)
    )
    shade(axes, columns["energy"], low_e, high_e, color, alpha=0.15)
    axes.plot(columns["energy"], value_e, ":", color=color, label=f"states of {name}")


def _lowest(panels: Sequence[Panel]) -> float:
    """The lowest value that is drawn."""
    drawn = [part for panel in panels for v in panel.volumes for part in v.pairs]
    drawn += [columns["entropy"] for panel in panels for columns in panel.texts.values()]
    values = np.concatenate(drawn)
    return float(np.nanmin(values)) if np.isfinite(values).any() else -MARGIN
