"""The figure of methods of decoding: repetition and fluctuation against perplexity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from ..figures import Figure, house_style, line_styles
from ..statistics.curve import Interval


def draw_decodings(rows: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Draw repetition against perplexity, and the fluctuation of the energy: a point a value.

    Parameters
    ----------
    rows : of a decodings table.
    """
    conditions = list(dict.fromkeys(row["condition"] for row in rows))
    styles = line_styles(len(conditions), ordered=False)
    color_of = {name: color for name, (color, _) in zip(conditions, styles, strict=True)}
    panels = {"rep_4": "rep-4 of the continuation", "energy_fluctuation": "fluctuation of ln K + V"}
    with house_style():
        figure = Figure(figsize=(5.6, 2.8))
        all_axes = figure.subplots(1, len(panels))
        for axes, (name, label) in zip(all_axes, panels.items(), strict=True):
            for row in rows:
                color = color_of[row["condition"]]
                x, y = Interval.of(row, "perplexity"), Interval.of(row, name)
                axes.errorbar(
                    x.value,
                    y.value,
                    xerr=[[x.value - x.low], [x.high - x.value]],
                    yerr=[[y.value - y.low], [y.high - y.value]],
                    color=color,
                    marker="o",
                    markersize=4,
                    linewidth=0.8,
                    linestyle="none",
                    label=row["condition"],
                )
                if name == "energy_fluctuation" and row["steered"] > 0:
                    _draw_reread(axes, row, color)
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
            low, high = axes.get_xlim()
            ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 50, 100, 200) if low < tick < high]
            axes.set_xticks(ticks)
            axes.set_xlabel("perplexity under the unsteered model")
            axes.set_ylabel(label)
        all_axes[0].axhline(0, color="0.8", linewidth=0.6, zorder=0)
        all_axes[0].set_title(title, loc="left")
        handles, labels = all_axes[0].get_legend_handles_labels()
        of_label = dict(zip(labels, handles, strict=True))
        figure.legend(of_label.values(), of_label, loc="outside lower center", ncols=6)
    return figure


def _draw_reread(axes: Axes, row: Mapping[str, Any], color: Any) -> None:
    """The fluctuation of a steered text as the unsteered model reads it, hollow."""
    x, (y, low, high) = row["perplexity"], Interval.of(row, "reread_fluctuation")
    axes.vlines(x, low, high, color=color, linewidth=0.8, linestyle=":", zorder=3)
    axes.plot(x, y, "s", color=color, markersize=5, markerfacecolor="none", zorder=3)
