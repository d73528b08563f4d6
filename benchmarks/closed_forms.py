"""Estimated against exact T(E) on systems with closed forms: a figure of one sample of each.

python -m benchmarks.closed_forms --out docs/figures/closed_forms.svg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from workflow_scripts.semstat.figures import OKABE_ITO, STYLE, save
from workflow_scripts.semstat.statistics.closed_forms import ClosedForm, all_systems
from workflow_scripts.semstat.statistics.curve import Curve
from workflow_scripts.semstat.thermodynamics.curves import estimate_curves
from workflow_scripts.semstat.thermodynamics.energy_grid import count_states, energy_edges

Array = NDArray[np.float64]

NEAR_ZERO = ("log-uniform(8 decades)",)
"""Systems to see on an energy axis that is logarithmic on both sides of 0."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=250)
    parser.add_argument("--states", type=int, default=64, help="states a document")
    parser.add_argument("--correlation", type=float, default=0.1, help="within documents")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="figure to make, .svg or .pdf")
    arguments = parser.parse_args()

    rng = np.random.default_rng(arguments.seed)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 7.6))
        rows = figure.subfigures(3, 1)
        for row, systems in zip(rows, np.reshape(all_systems(), (3, 3)), strict=True):
            panels = row.subplots(2, 3, sharex="col", height_ratios=[2, 1])
            for (above, below), system in zip(panels.T, systems, strict=True):
                sample = arguments.documents, arguments.states, arguments.correlation
                draw(above, below, system, *system.sample(rng, *sample), rng)
            panels[0, 0].set_ylabel("temperature $T(E)$")
            panels[1, 0].set_ylabel(r"$\hat{T}/T$")
        for axes in panels[1]:
            axes.set_xlabel("energy $E$")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
    save(figure, [str(arguments.out)])


def draw(
    above: Axes,
    below: Axes,
    system: ClosedForm,
    energy_s: Array,
    doc_s: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """One system: T exact and estimated, and their ratio with interval and band."""
    edges_e = energy_edges()
    curves = estimate_curves(count_states(energy_s, doc_s, edges_e), edges_e, rng)
    exact_e = np.full(len(edges_e), np.nan)
    inner_e = (np.abs(edges_e) < 1) & (edges_e != 0)  # at 0 there may be an atom, or no density
    exact_e[inner_e] = system.temperature(edges_e[inner_e])
    ratio = Curve(*(part_e / exact_e for part_e in curves.temperature))
    blue, orange = OKABE_ITO[:2]
    for axes, estimate, truth_e in [
        (above, curves.temperature, exact_e),
        (below, ratio, np.ones(len(edges_e))),
    ]:
        band = (estimate.band_low, estimate.band_high)
        axes.fill_between(edges_e, *band, color=blue, alpha=0.15, lw=0, label="95% band")
        interval = (estimate.low, estimate.high)
        axes.fill_between(edges_e, *interval, color=blue, alpha=0.3, lw=0, label="95% interval")
        known_e = np.where(curves.extrapolated, np.nan, estimate.value)
        axes.plot(edges_e, known_e, color=blue, label="estimate (dotted: extrapolated)")
        beyond_e = np.where(curves.extrapolated, estimate.value, np.nan)
        axes.plot(edges_e, beyond_e, ":", color=blue)
        axes.plot(edges_e, truth_e, color=orange, lw=0.8, label="exact")
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    if system.name in NEAR_ZERO:
        above.set_xscale("symlog", linthresh=1e-6)
        above.set_xticks([-1, -1e-3, 0, 1e-3, 1], ["−1", "−10⁻³", "0", "10⁻³", "1"])
        above.minorticks_off()
    above.set_title(system.name, loc="left")
    shown_e = exact_e[np.isfinite(curves.temperature.value) & (exact_e > 0)]
    above.set_ylim(shown_e.min() / 3, min(shown_e.max() * 3, 100))
    below.set_ylim(0.5, 2)
    below.set_yticks([0.5, 1, 2], ["½", "1", "2"])


if __name__ == "__main__":
    main()
