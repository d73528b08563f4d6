"""Figures of curves with their bands, of layer × energy, and of wells layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator
from numpy.typing import NDArray

from ..figures import (
    LINEAR_BELOW,
    MOST_TOLD_APART,
    WIDTH,
    Figure,
    Style,
    axis_coordinate,
    energy_axis,
    energy_panels,
    entitle,
    house_style,
    layer_axis,
    legend_of_names,
    legend_of_order,
    off_zero,
    power_of_ten,
    ramp,
    shade,
    some_of,
    styles_of,
)
from ..statistics.curve import Curve, Interval

Columns = Mapping[str, NDArray[np.float64]]

CELLS = 52
"""Of the layer map, on each side of 0."""

BESIDE = 0.8
"""Share of the room between two layers that marks of several models take, beside each other."""

MOST_BESIDE = 0.02
"""How far two of them are apart at most, over the width of a panel."""

POINT: Any = {"linewidth": 0.8, "marker": "o", "markersize": 3, "markerfacecolor": "white"}

UNSEEN: Any = {"linestyle": "none", "marker": "v", "markersize": 3.5, "markerfacecolor": "none"}


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
    "depth": Quantity("depth: energy where Ω = 10⁻³  [probability]", "linear"),
}


class Line(NamedTuple):
    """One line of a figure: its label, and the columns of the table that it is drawn from."""

    label: str
    columns: Columns


def draw_curves(lines: Sequence[Line], quantity: str, title: str, ordered: bool) -> Figure:
    """Draw one quantity of several ensembles: the well, and all energies.

    Each has its pointwise interval shaded and, lighter and wider, its simultaneous band, up to
    `MOST_TOLD_APART` lines; it is dotted, and has no band, where it is extrapolated. Nothing is
    drawn nearer to 0 than the grid tells, but S at 0; and no S below the lowest state.

    Parameters
    ----------
    lines : curves tables as columns of (edges,) arrays; NaN where undefined.
    quantity : a key of `QUANTITIES`.
    ordered : whether the lines have an order (layers), shown by a sequential colour map.
    """
    colors = ramp(line.label for line in lines)
    styles = styles_of(colors) if not ordered else {of: (c, "-") for of, c in colors.items()}
    with house_style():
        figure = Figure(figsize=(WIDTH, 3.2))
        [panels] = energy_panels(figure)
        for label, columns in lines:
            for axes in panels:
                _draw_curve(axes, columns, quantity, styles[label], len(lines) <= MOST_TOLD_APART)
        well, _ = panels
        well.set_yscale(QUANTITIES[quantity].scale)
        if QUANTITIES[quantity].scale == "log":
            well.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
            well.yaxis.set_minor_formatter(NullFormatter())
        well.set_ylabel(QUANTITIES[quantity].label)
        well.set_ylim(*_limits(lines, quantity))
        entitle(figure, title)
        if ordered:
            legend_of_order(figure, "layer", colors)
        else:
            legend_of_names(figure, styles)
    return figure


def _draw_curve(axes: Axes, columns: Columns, quantity: str, style: Style, banded: bool) -> None:
    """One curve in one panel."""
    energy_e, (color, dash) = columns["energy"], style
    curve = _shown(columns, quantity)
    if banded:
        shade(axes, energy_e, curve.band_low, curve.band_high, color, alpha=0.12)
        shade(axes, energy_e, curve.low, curve.high, color, alpha=0.2)
    beyond_e = columns["extrapolated"].astype(bool)
    axes.plot(energy_e, np.where(beyond_e, np.nan, curve.value), color=color, linestyle=dash)
    # Up to the first known point, so that the two meet.
    dotted_e = beyond_e | np.roll(beyond_e, 1) | np.roll(beyond_e, -1)
    axes.plot(energy_e, np.where(dotted_e, curve.value, np.nan), ":", color=color)
    if quantity == "entropy":
        axes.plot(0, columns[quantity][energy_e == 0], ".", color=color, markersize=3)


def _shown(columns: Columns, quantity: str) -> Curve:
    """What is drawn of a curve: nothing between the grid's points next to 0, no S of no states."""
    seen_e = (columns["volume"] > 0) | (quantity != "entropy")
    curve = Curve.of(columns, quantity)
    return curve.each(lambda part_e: np.where(seen_e, off_zero(columns["energy"], part_e), np.nan))


def _limits(lines: Sequence[Line], quantity: str) -> tuple[float, float]:
    """Limits set by the curves: an interval may reach far beyond where its curve ends."""
    values = np.concatenate([_shown(line.columns, quantity).value for line in lines])
    values = values[np.isfinite(values)]
    if QUANTITIES[quantity].scale == "log":
        values = values[values > 0]
        ceiling = QUANTITIES[quantity].ceiling
        return (values.min() / 3, min(values.max() * 3, ceiling)) if len(values) else (0.1, 1.0)
    return (values.min() - 0.5, values.max() + 0.3) if len(values) else (-1.0, 0.0)


def draw_layer_map(layers: Sequence[int], curves: Sequence[Columns], title: str) -> Figure:
    """Draw where the states of each layer lie: share of states per decade of |E|.

    All states nearer to 0 than the grid tells apart are in one cell in the middle, those of H = 0
    among them.

    Parameters
    ----------
    layers : layers, ascending, not necessarily adjacent; each gets a row of the same height.
    curves : their curves tables, on one grid.
    """
    at_e = axis_coordinate(curves[0]["energy"])
    side = np.linspace(1, at_e[-1], CELLS + 1)
    cells = np.concatenate([-side[::-1], side])
    share_lj = [np.diff(np.interp(cells, at_e, curve["volume"])) for curve in curves]
    density_lj = np.array(share_lj) / np.diff(cells)
    with house_style():
        figure = Figure(figsize=(WIDTH, 1.6 + 0.16 * len(layers)))
        axes = figure.subplots()
        mesh = axes.pcolormesh(
            np.copysign(LINEAR_BELOW * 10 ** (np.abs(cells) - 1), cells),
            np.arange(len(layers) + 1) - 0.5,
            np.where(density_lj > 0, density_lj, np.nan),
            norm="log",
            cmap="cividis",
            rasterized=True,
        )
        energy_axis(axes)
        named = some_of(len(layers))
        axes.set_yticks(named, [str(layers[row]) for row in named])
        axes.set_ylabel("layer")
        entitle(figure, title)
        figure.colorbar(mesh, label="share of states\nper decade of |E|", pad=0.02)
    return figure


def draw_wells(lines: Sequence[Line], title: str) -> Figure:
    """Draw numbers of the wells of several models against the layer, with their intervals.

    A share that was never seen is drawn as its upper bound, by a triangle, those of one layer
    beside each other; the layer whose well is most surely the deepest of its model by a filled
    circle.

    Parameters
    ----------
    lines : wells tables as columns of (layers,) arrays, NaN for null, and the `blocks` of the
        model: layer 0 is the embedding, the last one that block's output.
    """
    styles = styles_of(line.label for line in lines)
    with house_style():
        figure = Figure(figsize=(WIDTH, 4.4))
        panels = figure.subplots(2, 2, sharex=True)
        blocks = [int(line.columns["blocks"][0]) for line in lines]
        places = layer_axis(panels[1], [line.columns["layer"] for line in lines], blocks)
        for axes, (name, number) in zip(panels.flat, WELL_PANELS.items(), strict=True):
            if number.scale == "log":
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
                axes.yaxis.set_minor_locator(NullLocator())
            else:
                axes.axhline(0, color="0.8", linewidth=0.6)
            for (label, columns), place_l in zip(lines, places, strict=True):
                _draw_well_number(axes, columns, place_l, name, styles[label])
            if number.scale == "log":
                _draw_unseen(axes, lines, places, name, styles)
            axes.set_title(number.label, loc="left")
        top = max(0.05, panels[1, 1].get_ylim()[1])
        panels[1, 1].set_yticks([-1, -0.5, 0, 0.5, 1], ["−1", "−½", "0", "½", "1"])
        panels[1, 1].set_ylim(-1.05, top)
        entitle(figure, title)
        legend_of_names(figure, styles, **POINT)
    return figure


def _draw_well_number(
    axes: Axes, columns: Columns, place_l: NDArray[np.float64], name: str, style: Style
) -> None:
    color, dash = style
    parts = Interval.of(columns, name)
    if WELL_PANELS[name].scale == "log":
        parts = Interval(*(np.where(parts.value == 0, np.nan, part_l) for part_l in parts))
    axes.vlines(place_l, parts.low, parts.high, color=color, linewidth=0.8)
    axes.plot(place_l, parts.value, color=color, linestyle=dash, **POINT)
    if name == "depth" and not np.isnan(columns["deepest"]).all():
        deepest = np.nanargmax(columns["deepest"])
        axes.plot(place_l[deepest], parts.value[deepest], "o", color=color, markersize=4)


def _draw_unseen(
    axes: Axes,
    lines: Sequence[Line],
    places: Sequence[NDArray[np.float64]],
    name: str,
    styles: Mapping[str, Style],
) -> None:
    """Upper bounds of shares of which nothing was seen, side by side at each layer."""
    every = np.unique(np.concatenate(places))
    most, room = np.ptp(every) or 1.0, np.diff(every).min() if len(every) > 1 else 1.0
    for place in every:
        bounds = {
            label: columns[f"{name}_high"][place_l == place]
            for (label, columns), place_l in zip(lines, places, strict=True)
            if (columns[name][place_l == place] == 0).any()
        }
        apart = min(MOST_BESIDE * most, BESIDE * room / max(1, len(bounds)))
        for i, (label, high) in enumerate(bounds.items()):
            beside = place + apart * (i - (len(bounds) - 1) / 2)
            axes.plot(beside, high, color=styles[label][0], markeredgewidth=0.7, **UNSEEN)
