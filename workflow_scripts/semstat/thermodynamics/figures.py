"""Figures of curves with their bands, of layer × energy, and of wells layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator
from numpy.typing import NDArray

from ..figures import (
    LEGEND_LINE,
    LINEAR_BELOW,
    STYLE,
    Figure,
    axis_coordinate,
    energy_axis,
    house_style,
    line_styles,
    power_of_ten,
    shade,
)
from ..statistics.curve import Curve, Interval

Columns = Mapping[str, NDArray[np.float64]]

LEGEND_COLUMNS = 3
"""Of the legend of wells."""


class Quantity(NamedTuple):
    """How one column of a table is drawn.

    ceiling : highest value shown. Above the last states T grows without end; beyond 100 it says no
        more than that Ω is flat.
    """

    label: str
    scale: str
    ceiling: float = np.inf


QUANTITIES = {
    "entropy": Quantity(r"entropy  $S(E) = \ln\,\Omega(E)$  [$k_B$]", "linear"),
    "temperature": Quantity(
        r"temperature  $T(E) = \Omega/\rho$  [probability]", "log", ceiling=100.0
    ),
    "density": Quantity(r"density of states  $\rho(E)$  [1/probability]", "log"),
}

WELL_PANELS = {
    "mean_energy": Quantity("mean energy ⟨H⟩  [probability]", "linear"),
    "below_zero": Quantity("share of states with H < 0", "linear"),
    "below_minus_0.5": Quantity("share of states with H ≤ −½", "log"),
    "depth": Quantity("depth: energy where Ω = 10⁻³", "symlog"),
}


class Line(NamedTuple):
    """One line of a figure: its label, and the columns of the table that it is drawn from."""

    label: str
    columns: Columns


def draw_curves(lines: Sequence[Line], quantity: str, title: str, ordered: bool) -> Figure:
    """Draw one quantity of several ensembles.

    Each has its pointwise interval shaded and, lighter and wider, its simultaneous band; it is
    dotted, and has no band, where it is extrapolated.

    Parameters
    ----------
    lines : curves tables as columns of (edges,) arrays; NaN where undefined.
    quantity : a key of `QUANTITIES`.
    ordered : whether the lines have an order (layers), shown by a sequential colour map.
    """
    with house_style():
        figure = Figure(figsize=(5.6, max(3.2, LEGEND_LINE * (len(lines) + 2))))
        axes = figure.subplots()
        for (label, columns), (color, dash) in zip(
            lines, line_styles(len(lines), ordered), strict=True
        ):
            energy_e, curve = columns["energy"], Curve.of(columns, quantity)
            shade(axes, energy_e, curve.band_low, curve.band_high, color, alpha=0.12)
            shade(axes, energy_e, curve.low, curve.high, color, alpha=0.2)
            beyond_e = columns["extrapolated"].astype(bool)
            known_e = np.where(beyond_e, np.nan, curve.value)
            axes.plot(energy_e, known_e, color=color, linestyle=dash, label=label)
            # Up to the first known point, so that the two meet.
            dotted_e = beyond_e | np.roll(beyond_e, 1) | np.roll(beyond_e, -1)
            axes.plot(energy_e, np.where(dotted_e, curve.value, np.nan), ":", color=color)
        axes.set_yscale(QUANTITIES[quantity].scale)
        if QUANTITIES[quantity].scale == "log":
            axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylabel(QUANTITIES[quantity].label)
        energy_axis(axes)
        axes.set_title(title, loc="left")
        axes.set_ylim(*_limits(lines, quantity))
        figure.legend(loc="outside right upper", title="layer" if ordered else None)
    return figure


def _limits(lines: Sequence[Line], quantity: str) -> tuple[float, float]:
    """Limits set by the curves: an interval may reach far beyond where its curve ends."""
    values = np.concatenate([line.columns[quantity] for line in lines])
    values = values[np.isfinite(values)]
    if QUANTITIES[quantity].scale == "log":
        values = values[values > 0]
        ceiling = QUANTITIES[quantity].ceiling
        return (values.min() / 3, min(values.max() * 3, ceiling)) if len(values) else (0.1, 1.0)
    return (values.min() - 0.5, values.max() + 0.3) if len(values) else (-1.0, 0.0)


def draw_layer_map(layers: Sequence[int], curves: Sequence[Columns], title: str) -> Figure:
    """Draw where the states of each layer lie: share of states per decade of |E|.

    Parameters
    ----------
    layers : layers, ascending, not necessarily adjacent; each gets a row of the same height.
    curves : their curves tables, on one grid.
    """
    energy_e = curves[0]["energy"]
    at_e = axis_coordinate(energy_e)
    cells = np.linspace(at_e[0], at_e[-1], 121)
    share_lj = [np.diff(np.interp(cells, at_e, curve["volume"])) for curve in curves]
    density_lj = np.array(share_lj) / np.diff(cells)
    with house_style():
        figure = Figure(figsize=(5.6, 1.6 + 0.16 * len(layers)))
        axes = figure.subplots()
        mesh = axes.pcolormesh(
            np.interp(cells, at_e, energy_e),
            np.arange(len(layers) + 1) - 0.5,
            np.where(density_lj > 0, density_lj, np.nan),
            norm="log",
            cmap="cividis",
            rasterized=True,
        )
        energy_axis(axes)
        shown = range(0, len(layers), max(1, len(layers) // 12))
        axes.set_yticks(list(shown), [str(layers[row]) for row in shown])
        axes.set_ylabel("layer")
        axes.axvline(0, color="white", linewidth=0.6)
        axes.set_title(title, loc="left")
        figure.colorbar(mesh, label="share of states per decade of |E|", pad=0.02)
    return figure


def draw_wells(lines: Sequence[Line], title: str) -> Figure:
    """Draw numbers of the wells of several models against the layer, with their intervals.

    A share that was never seen is drawn as its upper bound, by a triangle; the layer whose well is
    most surely the deepest of its model by a filled circle.

    Parameters
    ----------
    lines : wells tables as columns of (layers,) arrays, NaN for null, with `relative_layer`:
        0 is the embedding, 1 the last block's output.
    """
    with house_style():
        legend_lines = -(-len(lines) // LEGEND_COLUMNS)
        figure = Figure(figsize=(5.6, 4.6 + LEGEND_LINE * max(0, legend_lines - 3)))
        panels = figure.subplots(2, 2, sharex=True)
        for axes, (name, number) in zip(panels.flat, WELL_PANELS.items(), strict=True):
            if number.scale != "log":
                axes.axhline(0, color="0.8", linewidth=0.6)
            for line, style in zip(lines, line_styles(len(lines), ordered=False), strict=True):
                _draw_well_number(axes, line, name, style)
            axes.set_title(number.label, loc="left")
            _number_axis(axes, number.scale)
        for axes in panels[1]:
            axes.set_xlabel("layer / blocks")
            axes.set_xticks([0, 0.5, 1])
        figure.suptitle(title, x=0.01, ha="left", fontsize=STYLE["axes.titlesize"])
        named = panels[0, 0].get_legend_handles_labels()
        figure.legend(*named, loc="outside lower left", ncols=LEGEND_COLUMNS)
    return figure


def _number_axis(axes: Axes, scale: str) -> None:
    if scale == "symlog":
        axes.set_yscale("symlog", linthresh=LINEAR_BELOW, linscale=1)
        axes.set_yticks([-1.0, -1e-2, -1e-4, -1e-6, 0.0])
    elif scale == "log":
        axes.set_yscale("log")
    if scale != "linear":
        axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
        axes.yaxis.set_minor_locator(NullLocator())


def _draw_well_number(axes: Axes, line: Line, name: str, style: tuple[Any, Any]) -> None:
    column, (color, dash) = line.columns, style
    layer_l, (value_l, low_l, high_l) = column["relative_layer"], Interval.of(column, name)
    if WELL_PANELS[name].scale == "log":
        unseen_l = value_l == 0
        axes.plot(layer_l[unseen_l], high_l[unseen_l], "v", color=color, markersize=3)
        value_l, low_l = (np.where(unseen_l, np.nan, part_l) for part_l in (value_l, low_l))
    axes.vlines(layer_l, low_l, high_l, color=color, linewidth=0.8)
    axes.plot(
        layer_l, value_l, color=color, linestyle=dash, linewidth=0.8, label=line.label,
        marker="o", markersize=3, markerfacecolor="white",
    )  # fmt: skip
    if name == "depth" and not np.isnan(column["deepest"]).all():
        deepest = np.nanargmax(column["deepest"])
        axes.plot(layer_l[deepest], value_l[deepest], "o", color=color, markersize=4)
