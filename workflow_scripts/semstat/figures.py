"""What the figures of a paper share: style, colours, axes, and how they are saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from itertools import product
from pathlib import Path
from textwrap import fill
from typing import Any, TypeVar
from zlib import crc32

import matplotlib
import matplotlib.figure
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from .tables import completed

Array = NDArray[np.float64]

Ordered = TypeVar("Ordered")

Style = tuple[Any, Any]
"""A colour and a dash."""

OKABE_ITO = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
"""Colours told apart by every kind of colour vision (Okabe & Ito, 2008)."""

DASHES: list[Any] = ["-", "--", "-.", (0, (6, 1, 1, 1, 1, 1)), (0, (12, 2))]
"""None is dotted: that says what is extrapolated."""

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

LINEAR_BELOW = 1e-6
"""|E| below which the energy axis is linear: the grid's own resolution."""

MOST_TOLD_APART = 8
"""Lines of an order that a legend names, and whose bands are told apart; of more, a colour bar."""

MOST_TICKS = 12
"""Of an axis, or a colour bar, of layers."""

WIDTH = 7.0
"""Inches of a figure with both axes of the energy."""

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


def styles_of(names: Iterable[str], dashes: Sequence[Any] = DASHES) -> dict[str, Style]:
    """A colour and a dash for each name, which it keeps when others come after it.

    The name itself says which it would have, and an earlier one of the same may have taken that.
    Up to as many as there are colours differ in these. Other marks than these: `marks_of`.

    >>> styles_of(["a", "b"])["a"] == styles_of(["a", "c", "d"])["a"] == styles_of(["a"])["a"]
    True
    """
    taken: dict[str, Style] = {}
    for name in dict.fromkeys(names):
        first = crc32(name.encode()) % len(OKABE_ITO)
        colors = OKABE_ITO[first:] + OKABE_ITO[:first]
        every = [(color, dash) for dash, color in product(dashes, colors)]
        free = [style for style in every if style not in taken.values()]
        taken[name] = (free or every)[0]
    return taken


def marks_of(names: Iterable[str], *kinds: Sequence[Any]) -> dict[str, tuple[Any, ...]]:
    """One of each kind of mark, such as colours and markers, for each name.

    A name keeps them as in `styles_of`. Those that are taken least often come first, so that as
    many names as there are marks of a kind differ in it, and as many as there are pairs in these.

    >>> marks_of(["a", "b"], "kr", "os^")["a"] == marks_of(["a", "c"], "kr", "os^")["a"]
    True
    """
    taken: dict[str, tuple[Any, ...]] = {}
    for name in dict.fromkeys(names):
        first = crc32(name.encode())
        every = product(*([*of[first % len(of) :], *of[: first % len(of)]] for of in kinds))
        before = list(taken.values())
        uses = [Counter(of) for of in zip(*before, strict=True)] or [Counter()] * len(kinds)
        taken[name] = min(
            every,
            key=lambda marks: (
                before.count(marks),
                sum(of[mark] for of, mark in zip(uses, marks, strict=True)),
            ),
        )
    return taken


def ramp(values: Iterable[Ordered]) -> dict[Ordered, Any]:
    """A colour for each of several values that have an order, from dark to light."""
    values = list(values)
    colors = matplotlib.colormaps["viridis"](np.linspace(0, 0.88, len(values)))
    return dict(zip(values, colors, strict=True))


def some_of(number: int, most: int = MOST_TICKS) -> list[int]:
    """Which of so many ticks to name: the first, the last, and some in equal steps between.

    >>> some_of(31), some_of(1), some_of(5, most=3)
    ([0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30], [0], [0, 2, 4])
    """
    last = number - 1
    step = max(1, -(-last // (most - 1)))
    return [at for at in range(0, last, step) if last - at > step / 2] + [last]


def entitle(figure: matplotlib.figure.Figure, title: str, beside: float = 0.0) -> None:
    """The title of a figure, which grows by the lines that this takes.

    Parameters
    ----------
    beside : inches at the right that are another's.
    """
    width = round(LETTERS * (figure.get_figwidth() - beside))
    headline = "\n".join(fill(line, width) for line in title.splitlines())
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

    The figure grows by its height, and to the width of the longest name.
    """
    handles, labels = list(handles), list(labels)
    for number in range(min(columns, len(labels)), 0, -1):
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=number, **more)
        box = legend.get_window_extent()
        if number == 1 or box.width <= figure.bbox.width:
            figure.set_figwidth(max(figure.get_figwidth(), box.width / figure.dpi + 0.3))
            figure.set_figheight(figure.get_figheight() + box.height / figure.dpi)
            return
        legend.remove()


def legend_of_names(
    figure: matplotlib.figure.Figure,
    styles: Mapping[str, Style],
    others: Mapping[str, Any] | None = None,
    columns: int = 4,
    **line: Any,
) -> None:
    """Say which colour and dash is whose; see `styles_of`, and `legend_of_order` for the rest."""
    entries: dict[str, Any] = {
        name: Line2D([], [], color=color, linestyle=dash, **line)
        for name, (color, dash) in styles.items()
    }
    entries |= others or {}
    legend_below(figure, entries.values(), entries, columns)


def legend_of_order(
    figure: matplotlib.figure.Figure,
    called: str,
    colors: Mapping[Any, Any],
    others: Mapping[str, Any] | None = None,
    columns: int = 8,
    **line: Any,
) -> None:
    """Say which colours are what, of lines that have an order: in a legend, or by a colour bar.

    Parameters
    ----------
    called : what lines are of, such as "layer".
    colors : of each, in order; see `ramp`.
    others : further entries of the legend, what each shows by its name.
    line : how a legend shows lines.
    """
    entries: dict[str, Any] = {}
    if len(colors) <= MOST_TOLD_APART:
        said = f"{called} " if others else ""
        entries = {f"{said}{of}": Line2D([], [], color=c, **line) for of, c in colors.items()}
    else:
        among = BoundaryNorm(np.arange(len(colors) + 1) - 0.5, len(colors))
        drawn = [axes for axes in figure.axes if axes.axison]
        bar = figure.colorbar(
            ScalarMappable(among, ListedColormap(list(colors.values()))),
            ax=drawn,
            label=called,
            aspect=30,
            pad=0.02,
        )
        names = [str(of) for of in colors]
        named = some_of(len(names))
        bar.set_ticks(named, labels=[names[at] for at in named])
        bar.ax.minorticks_off()
        bar.outline.set_visible(False)
    title = called if entries and not others else None
    entries |= others or {}
    if entries:
        legend_below(figure, entries.values(), entries, columns, title=title)


def shade(axes: Axes, x: Array, low: Array, high: Array, color: Any, alpha: float) -> None:
    """Shade between the bounds of a line, which may be NaN in places."""
    axes.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0)


def energy_panels(figure: matplotlib.figure.Figure, rows: int = 1) -> list[tuple[Axes, Axes]]:
    """Rows of two panels: the well on a linear axis of the energy, and all on a logarithmic one."""
    grid = figure.subplots(
        rows, 2, sharex="col", sharey="row", squeeze=False, width_ratios=(1, 2.7)
    )
    for well, whole in grid:
        well.set_xlim(-1, 0)
        well.set_xticks([-1, -0.5, 0], ["−1", "−½", "0"])
        energy_axis(whole)
        for axes in (well, whole):
            for energy in (-0.5, 0):
                axes.axvline(energy, color="0.8", linewidth=0.5, zorder=0)
    for axes in grid[:-1, 1]:
        axes.set_xlabel("")
    grid[-1][0].set_xlabel("E, linear")
    return [(well, whole) for well, whole in grid]


def energy_axis(axes: Axes) -> None:
    """Let the horizontal axis be the energy: logarithmic on both sides of 0.

    Grey: nearer to 0 than the grid tells energies apart.
    """
    axes.set_xscale("symlog", linthresh=LINEAR_BELOW, linscale=1)
    sizes = [1e-6, 1e-4, 1e-2, 1.0]
    axes.set_xticks([*sizes, 0.0, *(-size for size in sizes)])
    axes.xaxis.set_major_formatter(FuncFormatter(power_of_ten))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(-1, 1)
    axes.axvspan(-LINEAR_BELOW, LINEAR_BELOW, color="0.95", linewidth=0, zorder=-2)
    axes.set_xlabel(r"energy  $E = p(\mathrm{correct}) - p(\mathrm{last})$  [probability]")


def off_zero(energy_e: Array, value_e: Array) -> Array:
    """A curve without what lies nearer to 0 than the grid, so that no line is drawn through it."""
    beside_e: Array = np.where(np.abs(energy_e) < 0.999 * LINEAR_BELOW, np.nan, value_e)
    return beside_e


def layer_axis(
    panels: Iterable[Axes], layers: Sequence[Array], blocks: Collection[int]
) -> list[Array]:
    """Let horizontal axes be the layer, or where models are of several depths its share of these.

    Parameters
    ----------
    layers : (layers,) of each model.
    blocks : how many each has.

    Returns
    -------
    Where each model's layers are.
    """
    alike = len(set(blocks)) == 1
    every = sorted({int(layer) for layer_l in layers for layer in layer_l})
    for axes in panels:
        axes.set_xlabel("layer" if alike else "layer / blocks")
        axes.set_xticks([every[at] for at in some_of(len(every), 8)] if alike else [0, 0.5, 1])
    return [layer_l / (1 if alike else of) for layer_l, of in zip(layers, blocks, strict=True)]


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
