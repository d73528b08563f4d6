"""Figures that a paper could print: curves with their bands, maps of layer × energy, and wells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple

import matplotlib
import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator
from numpy.typing import NDArray

from .tables import completed

Columns = Mapping[str, NDArray[np.float64]]

OKABE_ITO = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
"""Colours told apart by every kind of colour vision (Okabe & Ito, 2008)."""

DASHES: list[Any] = ["-", "--", ":", "-."]

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

LINEAR_BELOW = 1e-6
"""|E| below which the energy axis is linear: the grid's own resolution."""

SHOWN_DPI = 110
"""Pixels of a page for an inch of a figure, in a notebook."""

STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "semantic-statistics",
    "pdf.fonttype": 42,
}


class Figure(matplotlib.figure.Figure):
    """matplotlib's; a notebook shows it even where pyplot, which registers figures, is not used."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        width, height = self.get_size_inches()
        with matplotlib.rc_context(STYLE), BytesIO() as png:
            self.savefig(png, format="png", dpi=2 * SHOWN_DPI)  # for screens of fine pixels
            shown = {"width": round(width * SHOWN_DPI), "height": round(height * SHOWN_DPI)}
            return png.getvalue(), shown


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


DIFFERENCE_PANELS = {
    "entropy_difference": r"$S_a - S_b$  [$k_B$]",
    "log_temperature_ratio": r"$\ln\,(T_a/T_b)$",
}


class Line(NamedTuple):
    """One curve of a figure."""

    label: str
    curve: Columns


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
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 3.2))
        axes = figure.subplots()
        for (label, curve), (color, dash) in zip(
            lines, line_styles(len(lines), ordered), strict=True
        ):
            energy_e = curve["energy"]
            for bound, alpha in [("band_", 0.12), ("", 0.2)]:
                low_e, high_e = curve[f"{quantity}_{bound}low"], curve[f"{quantity}_{bound}high"]
                axes.fill_between(energy_e, low_e, high_e, color=color, alpha=alpha, linewidth=0)
            beyond_e = curve["extrapolated"].astype(bool)
            known_e = np.where(beyond_e, np.nan, curve[quantity])
            axes.plot(energy_e, known_e, color=color, linestyle=dash, label=label)
            # Up to the first known point, so that the two meet.
            dotted_e = beyond_e | np.roll(beyond_e, 1) | np.roll(beyond_e, -1)
            axes.plot(energy_e, np.where(dotted_e, curve[quantity], np.nan), ":", color=color)
        axes.set_yscale(QUANTITIES[quantity].scale)
        if QUANTITIES[quantity].scale == "log":
            axes.yaxis.set_major_formatter(FuncFormatter(_power_of_ten))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylabel(QUANTITIES[quantity].label)
        _energy_axis(axes)
        axes.set_title(title, loc="left")
        axes.set_ylim(*_limits(lines, quantity))
        figure.legend(loc="outside right upper", title="layer" if ordered else None)
    return figure


def draw_layer_map(layers: Sequence[int], curves: Sequence[Columns], title: str) -> Figure:
    """Draw where the states of each layer lie: share of states per decade of |E|.

    Parameters
    ----------
    layers : layers, ascending, not necessarily adjacent; each gets a row of the same height.
    curves : their curves tables, on one grid.
    """
    energy_e = curves[0]["energy"]
    at_e = _axis_coordinate(energy_e)
    cells = np.linspace(at_e[0], at_e[-1], 121)
    share_lc = [np.diff(np.interp(cells, at_e, curve["volume"])) for curve in curves]
    density_lc = np.array(share_lc) / np.diff(cells)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 1.6 + 0.16 * len(layers)))
        axes = figure.subplots()
        mesh = axes.pcolormesh(
            np.interp(cells, at_e, energy_e),
            np.arange(len(layers) + 1) - 0.5,
            np.where(density_lc > 0, density_lc, np.nan),
            norm="log",
            cmap="cividis",
            rasterized=True,
        )
        _energy_axis(axes)
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
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 4.6))
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
        figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower left", ncols=3)
    return figure


def _number_axis(axes: Axes, scale: str) -> None:
    if scale == "symlog":
        axes.set_yscale("symlog", linthresh=LINEAR_BELOW, linscale=1)
        axes.set_yticks([-1.0, -1e-2, -1e-4, -1e-6, 0.0])
    elif scale == "log":
        axes.set_yscale("log")
    if scale != "linear":
        axes.yaxis.set_major_formatter(FuncFormatter(_power_of_ten))
        axes.yaxis.set_minor_locator(NullLocator())


def _draw_well_number(axes: Axes, line: Line, name: str, style: tuple[Any, Any]) -> None:
    column, (color, dash) = line.curve, style
    layer_l, value_l = column["relative_layer"], column[name]
    low_l, high_l = column[f"{name}_low"], column[f"{name}_high"]
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


def draw_difference(columns: Columns, title: str) -> Figure:
    """Draw how the curves of two ensembles differ: intervals dark, simultaneous bands light.

    Dotted where there is no band, since one of the two is extrapolated.

    Parameters
    ----------
    columns : a comparison table as columns of (edges,) arrays; NaN where undefined.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 4.4))
        panels = figure.subplots(2, 1, sharex=True)
        energy_e, color = columns["energy"], OKABE_ITO[0]
        for axes, (name, label) in zip(panels, DIFFERENCE_PANELS.items(), strict=True):
            axes.axhline(0, color="0.5", linewidth=0.6)
            for bound, alpha in (("_band", 0.15), ("", 0.3)):
                low_e, high_e = columns[f"{name}{bound}_low"], columns[f"{name}{bound}_high"]
                axes.fill_between(energy_e, low_e, high_e, color=color, alpha=alpha, linewidth=0)
            known_e = np.isfinite(columns[f"{name}_band_low"])
            axes.plot(energy_e, columns[name], ":", color=color)
            axes.plot(energy_e, np.where(known_e, columns[name], np.nan), color=color)
            seen = columns[name][known_e] if known_e.any() else np.nan_to_num(columns[name])
            margin = 0.5 + np.ptp(seen) / 2
            axes.set_ylim(min(seen.min(), 0) - margin, max(seen.max(), 0) + margin)
            axes.set_ylabel(label)
            _energy_axis(axes)
        panels[0].set_xlabel("")
        panels[0].set_title(title, loc="left")
    return figure


def save(figure: Figure, paths: Sequence[str]) -> None:
    """Save a figure as .svg and .pdf files, without anything that changes from run to run."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with matplotlib.rc_context(STYLE), completed(*paths) as temporary:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # the layout is found: not once more a format
        for path, made in zip(paths, temporary, strict=True):
            kind = path.rpartition(".")[2]
            figure.savefig(made, format=kind, metadata=undated[kind], dpi=300)


def line_styles(lines: int, ordered: bool) -> list[tuple[Any, Any]]:
    """A colour and a dash for each line."""
    if ordered:
        colors = matplotlib.colormaps["viridis"](np.linspace(0, 0.88, lines))
        return [(color, "-") for color in colors]
    return [
        (OKABE_ITO[i % len(OKABE_ITO)], DASHES[i // len(OKABE_ITO) % len(DASHES)])
        for i in range(lines)
    ]


def _energy_axis(axes: Axes) -> None:
    axes.set_xscale("symlog", linthresh=LINEAR_BELOW, linscale=1)
    sizes = [1e-6, 1e-4, 1e-2, 1.0]
    axes.set_xticks([*sizes, 0.0, *(-size for size in sizes)])
    axes.xaxis.set_major_formatter(FuncFormatter(_power_of_ten))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(-1, 1)
    axes.set_xlabel(r"energy  $E = p(\mathrm{correct}) - p(\mathrm{last})$  [probability]")


def _power_of_ten(value: float, _position: int | None = None) -> str:
    """A power of ten as plain text: the parser of formulas is the slowest part of a figure."""
    if value == 0:
        return "0"
    sign = "−" if value < 0 else ""
    exponent = round(np.log10(abs(value)))
    if exponent in (0, 1):
        return f"{sign}{10**exponent}"
    return f"{sign}10{str(exponent).translate(SUPERSCRIPT)}"


def _axis_coordinate(energy_e: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decades along the symlog axis, from its middle."""
    size_e = np.abs(energy_e) / LINEAR_BELOW
    decades_e = np.where(size_e < 1, size_e, 1 + np.log10(np.maximum(size_e, 1)))
    signed_e: NDArray[np.float64] = np.copysign(decades_e, energy_e)
    return signed_e


def _limits(lines: Sequence[Line], quantity: str) -> tuple[float, float]:
    """Limits set by the curves: an interval may reach far beyond where its curve ends."""
    values = np.concatenate([line.curve[quantity] for line in lines])
    values = values[np.isfinite(values)]
    if QUANTITIES[quantity].scale == "log":
        values = values[values > 0]
        ceiling = QUANTITIES[quantity].ceiling
        return (values.min() / 3, min(values.max() * 3, ceiling)) if len(values) else (0.1, 1.0)
    return (values.min() - 0.5, values.max() + 0.3) if len(values) else (-1.0, 0.0)
