"""The figure of two ensembles side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..figures import OKABE_ITO, Figure, energy_axis, house_style, shade
from ..statistics.curve import Curve

DIFFERENCE_PANELS = {
    "entropy_difference": r"$S_a - S_b$  [$k_B$]",
    "log_temperature_ratio": r"$\ln\,(T_a/T_b)$",
}


def draw_difference(columns: Mapping[str, NDArray[np.float64]], title: str) -> Figure:
    """Draw how the curves of two ensembles differ: intervals dark, simultaneous bands light.

    Dotted where there is no band, since one of the two is extrapolated.

    Parameters
    ----------
    columns : a comparison table as columns of (edges,) arrays; NaN where undefined.
    """
    with house_style():
        figure = Figure(figsize=(5.6, 4.4))
        panels = figure.subplots(2, 1, sharex=True)
        energy_e, color = columns["energy"], OKABE_ITO[0]
        for axes, (name, label) in zip(panels, DIFFERENCE_PANELS.items(), strict=True):
            axes.axhline(0, color="0.5", linewidth=0.6)
            curve = Curve.of(columns, name)
            shade(axes, energy_e, curve.band_low, curve.band_high, color, alpha=0.15)
            shade(axes, energy_e, curve.low, curve.high, color, alpha=0.3)
            known_e = np.isfinite(curve.band_low)
            axes.plot(energy_e, curve.value, ":", color=color)
            axes.plot(energy_e, np.where(known_e, curve.value, np.nan), color=color)
            seen = curve.value[known_e] if known_e.any() else np.nan_to_num(curve.value)
            margin = 0.5 + np.ptp(seen) / 2
            axes.set_ylim(min(seen.min(), 0) - margin, max(seen.max(), 0) + margin)
            axes.set_ylabel(label)
            energy_axis(axes)
        panels[0].set_xlabel("")
        panels[0].set_title(title, loc="left")
    return figure
