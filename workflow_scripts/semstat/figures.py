"""Figures that a paper could print: curves with their bands, and maps of layer × energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
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


class Quantity(NamedTuple):
    """How one column of a curves table is drawn.

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
        for (label, curve), (color, dash) in zip(lines, _styles(len(lines), ordered), strict=True):
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


def save(figure: Figure, paths: Sequence[str]) -> None:
    """Save a figure as .svg and .pdf files, without anything that changes from run to run."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with matplotlib.rc_context(STYLE), completed(*paths) as temporary:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # the layout is found: not once more a format
        for path, made in zip(paths, temporary, strict=True):
            kind = path.rpartition(".")[2]
            figure.savefig(made, format=kind, metadata=undated[kind], dpi=300)


def _styles(lines: int, ordered: bool) -> list[tuple[Any, Any]]:
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
