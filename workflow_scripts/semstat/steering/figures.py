"""Figures of steering: effect against norm, and repetition against perplexity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from ..figures import STYLE, Figure, line_styles

LABELS = {
    "correct": "ln p(correct) raised by",
    "last": "ln p(last) lowered by",
    "entropy": "entropy raised by",
}

Rows = Sequence[Mapping[str, Any]]


def draw_effects(rows: Rows, title: str) -> Figure:
    """Draw the norm that an effect takes, by J⁺ and by a random direction, and J⁺'s own error.

    Parameters
    ----------
    rows : of an effects table.
    """
    quantities = list(dict.fromkeys(row["quantity"] for row in rows))
    layers = sorted({row["layer"] for row in rows})
    styles = line_styles(len(layers), ordered=True)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(1.0 + 2.1 * len(quantities), 4.6))
        panels = figure.subplots(2, len(quantities), sharex=True, sharey="row", squeeze=False)
        for (norm, error), quantity in zip(panels.T, quantities, strict=True):
            for layer, (color, _) in zip(layers, styles, strict=True):
                chosen = [
                    row for row in rows if row["layer"] == layer and row["quantity"] == quantity
                ]
                _draw(norm, chosen, "share", color, "-", str(layer))
                _draw_random(norm, chosen, color)
                _draw(error, chosen, "error", color, "-", str(layer))
            effect = np.sort(np.unique([abs(row["effect"]) for row in rows]))
            error.plot(effect, 0.3 * effect, ":", color="0.5", linewidth=0.8)
            norm.set_title(LABELS[quantity], loc="left")
            error.set_xlabel("effect  [nats]")
            for axes in (norm, error):
                axes.set_xscale("log")
                axes.set_yscale("log")
                for axis in (axes.xaxis, axes.yaxis):
                    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                    axis.set_minor_formatter(NullFormatter())
        panels[0, 0].set_ylabel(r"norm needed  $\|\delta h\|/\|h\|$")
        panels[1, 0].set_ylabel("relative error of J⁺Δ")
        figure.suptitle(
            f"{title}: solid J⁺, dashed random directions", x=0.01, ha="left", fontsize=8
        )
        handles = panels[0, 0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside right upper", title="layer")
    return figure


def _draw(axes: Axes, rows: Rows, name: str, color: Any, dash: str, label: str | None) -> None:
    """One line with its band."""
    effect, value, low, high = (
        np.array([row[key] for row in rows], dtype=np.float64)
        for key in ("effect", name, f"{name}_low", f"{name}_high")
    )
    axes.fill_between(np.abs(effect), low, high, color=color, alpha=0.2, linewidth=0)
    axes.plot(np.abs(effect), value, dash, color=color, marker=".", markersize=3, label=label)


def _draw_random(axes: Axes, rows: Rows, color: Any) -> None:
    """The norm of random directions, where at least half of them reach the effect."""
    scaled = [
        {"effect": row["effect"]}
        | {f"share{bound}": row["share"] * row[f"random{bound}"] for bound in ("", "_low", "_high")}
        for row in rows
        if row["random"] is not None and row["share"] is not None and row["random_reached"] >= 0.5
    ]
    _draw(axes, scaled, "share", color, "--", None)


def draw_decodings(rows: Rows, title: str) -> Figure:
    """Draw repetition against perplexity, and the fluctuation of the energy: a point a method.

    Parameters
    ----------
    rows : of a decodings table.
    """
    panels = {"rep_4": "rep-4 of the continuation", "energy_fluctuation": "fluctuation of ln K + V"}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 2.8))
        axes_p = figure.subplots(1, len(panels))
        for axes, (name, label) in zip(axes_p, panels.items(), strict=True):
            for row, (color, _) in zip(rows, line_styles(len(rows), ordered=False), strict=True):
                x, y = row["perplexity"], row[name]
                axes.errorbar(
                    x,
                    y,
                    xerr=[[x - row["perplexity_low"]], [row["perplexity_high"] - x]],
                    yerr=[[y - row[f"{name}_low"]], [row[f"{name}_high"] - y]],
                    color=color,
                    marker="o",
                    markersize=4,
                    linewidth=0.8,
                    linestyle="none",
                    label=row["method"],
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
        axes_p[0].axhline(0, color="0.8", linewidth=0.6, zorder=0)
        axes_p[0].set_title(title, loc="left")
        figure.legend(*axes_p[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def _draw_reread(axes: Axes, row: Mapping[str, Any], color: Any) -> None:
    """The fluctuation of a steered text as the unsteered model reads it, hollow."""
    x, y = row["perplexity"], row["reread_fluctuation"]
    low, high = row["reread_fluctuation_low"], row["reread_fluctuation_high"]
    axes.vlines(x, low, high, color=color, linewidth=0.8, linestyle=":", zorder=3)
    axes.plot(x, y, "s", color=color, markersize=5, markerfacecolor="none", zorder=3)
