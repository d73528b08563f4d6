"""The figure of two ensembles side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ..figures import OKABE_ITO, WIDTH, Figure, energy_panels, entitle, house_style, off_zero, shade
from ..statistics.curve import Curve

DIFFERENCE_PANELS = {
    "entropy_difference": r"$S_a - S_b$  [$k_B$]",
    "log_temperature_ratio": r"$\ln\,(T_a/T_b)$",
}


def draw_difference(columns: Mapping[str, NDArray[np.float64]], title: str) -> Figure:
    """Draw how the curves of two ensembles differ: intervals dark, simultaneous bands light.

    Left the well, right all energies; nothing nearer to 0 than the grid tells energies apart.
    Dotted where there is no band, since one of the two is extrapolated.

    Parameters
    ----------
    columns : a comparison table as columns of (edges,) arrays; NaN where undefined.
    """
    with house_style():
        figure = Figure(figsize=(WIDTH, 4.4))
        panels = energy_panels(figure, len(DIFFERENCE_PANELS))
        energy_e = columns["energy"]
        for beside, (name, label) in zip(panels, DIFFERENCE_PANELS.items(), strict=True):
            curve = Curve.of(columns, name).each(lambda part_e: off_zero(energy_e, part_e))
            for axes in beside:
                _draw(axes, energy_e, curve)
            known_e = np.isfinite(curve.band_low)
            seen = curve.value[known_e] if known_e.any() else np.nan_to_num(curve.value)
            margin = 0.5 + np.ptp(seen) / 2
            beside[0].set_ylim(min(seen.min(), 0) - margin, max(seen.max(), 0) + margin)
            beside[0].set_ylabel(label)
        figure.align_ylabels()
        entitle(figure, title)
    return figure


def _draw(axes: Axes, energy_e: NDArray[np.float64], curve: Curve) -> None:
    """A difference in one panel."""
    color = OKABE_ITO[0]
    axes.axhline(0, color="0.5", linewidth=0.6)
    shade(axes, energy_e, curve.band_low, curve.band_high, color, alpha=0.15)
    shade(axes, energy_e, curve.low, curve.high, color, alpha=0.3)
    axes.plot(energy_e, curve.value, ":", color=color)
    known_e = np.isfinite(curve.band_low)
    axes.plot(energy_e, np.where(known_e, curve.value, np.nan), color=color)
