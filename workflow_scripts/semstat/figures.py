"""What the figures of a paper share: style, colours, axes, and how they are saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib
import matplotlib.figure
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from .tables import completed

Array = NDArray[np.float64]

OKABE_ITO = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
"""Colours told apart by every kind of colour vision (Okabe & Ito, 2008)."""

DASHES: list[Any] = ["-", "--", ":", "-.", (0, (6, 1, 1, 1, 1, 1))]

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

LINEAR_BELOW = 1e-6
"""|E| below which the energy axis is linear: the grid's own resolution."""

LEGEND_LINE = 0.15
"""Inches of a line of a legend."""

LETTERS = 15
"""Letters of a title for each inch."""

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


def house_style() -> AbstractContextManager[None]:
    """The style that figures are drawn and saved in, whatever the user's matplotlibrc says."""
    context: AbstractContextManager[None] = matplotlib.style.context(["default", STYLE])
    return context


class Figure(matplotlib.figure.Figure):
    """matplotlib's; a notebook shows it even where pyplot, which registers figures, is not used."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        width, height = self.get_size_inches()
        with house_style(), BytesIO() as png:
            self.savefig(png, format="png", dpi=2 * SHOWN_DPI)  # for screens of fine pixels
            shown = {"width": round(width * SHOWN_DPI), "height": round(height * SHOWN_DPI)}
            return png.getvalue(), shown


def save(figure: matplotlib.figure.Figure, paths: Sequence[str | Path]) -> None:
    """Save a figure as .svg and .pdf files, without anything that changes from run to run."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with house_style(), completed(*paths) as temporary:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # the layout is found: not once more a format
        for path, made in zip(paths, temporary, strict=True):
            kind = Path(path).suffix.removeprefix(".")
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


def entitle(figure: matplotlib.figure.Figure, title: str, beside: float = 0.0) -> None:
    """The title of a figure, which grows by the lines that this takes.

    Parameters
    ----------
    beside : inches at the right that are another's.
    """
    headline = fill(title, round(LETTERS * (figure.get_figwidth() - beside)))
    figure.suptitle(headline, x=0.01, ha="left", fontsize=STYLE["axes.titlesize"])
    figure.set_figheight(figure.get_figheight() + LEGEND_LINE * headline.count("\n"))


def legend_below(
    figure: matplotlib.figure.Figure,
    handles: Iterable[Any],
    labels: Iterable[str],
    columns: int,
    **more: Any,
) -> None:
    """A legend below all axes, in so many columns, or fewer where names are too long for these.

    The figure grows by the lines that this takes, and to the width of the longest name.
    """
    handles, labels = list(handles), list(labels)
    for number in range(columns, 0, -1):
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=number, **more)
        if number == 1 or legend.get_window_extent().width <= figure.bbox.width:
            wanted = legend.get_window_extent().width / figure.dpi
            figure.set_figwidth(max(figure.get_figwidth(), wanted))
            break
        legend.remove()
    lines, planned = (-(-len(labels) // across) for across in (number, columns))
    figure.set_figheight(figure.get_figheight() + LEGEND_LINE * (lines - planned))


def shade(axes: Axes, x: Array, low: Array, high: Array, color: Any, alpha: float) -> None:
    """Shade between the bounds of a line, which may be NaN in places."""
    axes.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0)


def energy_axis(axes: Axes) -> None:
    """Let the horizontal axis be the energy: logarithmic on both sides of 0."""
    axes.set_xscale("symlog", linthresh=LINEAR_BELOW, linscale=1)
    sizes = [1e-6, 1e-4, 1e-2, 1.0]
    axes.set_xticks([*sizes, 0.0, *(-size for size in sizes)])
    axes.xaxis.set_major_formatter(FuncFormatter(power_of_ten))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(-1, 1)
    axes.set_xlabel(r"energy  $E = p(\mathrm{correct}) - p(\mathrm{last})$  [probability]")


def power_of_ten(value: float, _position: int | None = None) -> str:
    """A power of ten as plain text: the parser of formulas is the slowest part of a figure."""
    if value == 0:
        return "0"
    sign = "−" if value < 0 else ""
    exponent = round(np.log10(abs(value)))
    if exponent in (0, 1):
        return f"{sign}{10**exponent}"
    return f"{sign}10{str(exponent).translate(SUPERSCRIPT)}"


def axis_coordinate(energy_e: Array) -> Array:
    """Decades along the symlog axis, from its middle."""
    size_e = np.abs(energy_e) / LINEAR_BELOW
    decades_e = np.where(size_e < 1, size_e, 1 + np.log10(np.maximum(size_e, 1)))
    signed_e: Array = np.copysign(decades_e, energy_e)
    return signed_e
