"""Where the entropy bends: microcanonical inflection-point analysis of S_B = ln ρ.

With β = dS_B/dE and γ = d²S_B/dE², a transition-like signal is a least-sensitive inflection point,
that is an extremum of the next derivative (Qi & Bachmann, Phys. Rev. Lett. 120, 180601 (2018),
arXiv:1805.01340; their signs):

====================  ===========================  ====================================
signal                where                        reads
====================  ===========================  ====================================
first order           minimum of β, β > 0          β bends back above it: S_B is convex
second order          maximum of γ, γ < 0          β falls least, without bending back
second, dependent     minimum of γ, γ > 0          accompanies one of first order below
====================  ===========================  ====================================

In a finite system these are signals of cooperative behaviour, no proof of a phase transition. A
density that diverges at a point, like 1/|E| at 0, is convex there too, but has no minimum of β; one
that vanishes at both hard edges has a signal of second order between them, transition or not.
Only well-populated energies are searched, on a fit that penalises the fourth derivative of ln ρ:
of the usual fit the second derivative is noise. A signal is significant if the extremum stands out
from the curve on both of its sides, and has the sign it must have, by more standard errors than the
largest deviation along the whole curve has with the confidence asked (so that the search itself is
paid for).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars, Estimate
from .curves import estimate
from .energy_grid import StateCounts

Array = NDArray[np.float64]


class Signal(NamedTuple):
    """One transition-like signal.

    order : 1 or 2.
    dependent : whether it only accompanies a transition of lower order.
    energy, energy_low, energy_high : where, with the interval from drawn curves; probability.
    value : β for order 1, 1/probability; γ for order 2, 1/probability².
    score : the least of its contrasts with either side and with 0, in standard errors.
    significant : whether `score` exceeds the simultaneous critical value.
    """

    order: int
    dependent: bool
    energy: float
    energy_low: float
    energy_high: float
    value: float
    score: float
    significant: bool


class _Kind(NamedTuple):
    order: int
    dependent: bool
    peak: int
    """1 for a maximum that must be negative, −1 for a minimum that must be positive."""


KINDS = (_Kind(1, False, -1), _Kind(2, False, 1), _Kind(2, True, -1))


def find_signals(
    counts: StateCounts,
    edges_e: Array,
    rng: np.random.Generator,
    resamples: int = 400,
    confidence: float = 0.95,
) -> list[Signal]:
    """Transition-like signals of one ensemble, significant or not, by order and energy.

    Parameters
    ----------
    counts, edges_e, rng, resamples, confidence : as `curves.estimate_curves` takes them.

    Raises
    ------
    ValueError
        As `curves.estimate_curves` does.
    """
    parts = estimate(counts, edges_e, order=4)
    searched_e = parts.populated_e & np.isfinite(parts.smooth.slope.value_e)
    bars = ErrorBars.drawn(
        parts.blocks.freedom, parts.sources, resamples, confidence, searched_e, rng
    )
    signals = []
    for kind in KINDS:
        curve = parts.smooth.slope if kind.order == 1 else parts.smooth.curvature
        critical = bars.critical(curve)
        part = Estimate(
            kind.peak * curve.value_e[searched_e], kind.peak * curve.error_eu[searched_e]
        )
        for extremum in _maxima(part.value_e):
            if part.value_e[extremum[1]] < 0:
                found = _signal(kind, part, edges_e[searched_e], extremum, bars, critical)
                signals.append(found)
    return signals


def _maxima(value_e: Array) -> list[tuple[int, int, int]]:
    """Interior maxima: where each is, between where the curve rises above it on either side."""
    inner = np.flatnonzero((value_e[1:-1] > value_e[:-2]) & (value_e[1:-1] >= value_e[2:])) + 1
    found = []
    for peak in map(int, inner):
        higher = np.flatnonzero(value_e > value_e[peak])
        start = higher[higher < peak].max(initial=-1) + 1
        stop = higher[higher > peak].min(initial=len(value_e))
        found.append((int(start), peak, int(stop)))
    return found


def _signal(
    kind: _Kind,
    part: Estimate,
    energy_e: Array,
    extremum: tuple[int, int, int],
    bars: ErrorBars,
    critical: float,
) -> Signal:
    """Judge a maximum of `part`, which is the curve or its negative."""
    start, peak, stop = extremum
    value_e, error_eu = part.value_e[start:stop], part.error_eu[start:stop]
    at = peak - start
    rise_e = value_e[at] - value_e
    contrast_e = np.divide(
        rise_e, np.linalg.norm(error_eu - error_eu[at], axis=1), where=rise_e > 0, out=0.0 * rise_e
    )
    left, right = int(np.argmax(contrast_e[:at])), at + 1 + int(np.argmax(contrast_e[at + 1 :]))
    from_zero = -value_e[at] / np.linalg.norm(error_eu[at])
    score = float(min(contrast_e[left], contrast_e[right], from_zero))
    between = slice(left, right + 1)
    drawn_er = value_e[between, None] + error_eu[between] @ bars.draw_ur[: error_eu.shape[1]]
    energy_r = energy_e[start:stop][between][np.argmax(drawn_er, axis=0)]
    tails = [(1 - bars.confidence) / 2, (1 + bars.confidence) / 2]
    low, high = np.quantile(energy_r, tails)
    return Signal(
        kind.order, kind.dependent, float(energy_e[peak]), float(low), float(high),
        float(kind.peak * value_e[at]), score, score > critical,
    )  # fmt: skip
