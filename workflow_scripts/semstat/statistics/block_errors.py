"""Error bars from blocks of documents.

States of one document are correlated, documents are not, so the block is the unit of resampling.
Every curve is linearised about its estimate, on the scale where its error is nearest to normal
(logit Ω, ln ρ, ln T, 1/T_B). An `Estimate` then carries, beside its value, how far each independent
source of error moves it: one source a block (the infinitesimal jackknife, the limit of many
resamples; Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", SIAM 1982, ch. 6), and
one a mode of the smoothing bias, which resampling alone does not see. Sources make differences of
curves, pointwise intervals and simultaneous bands plain linear algebra.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Not scipy.stats: it is half a second of every command's start-up.
from scipy.special import expit, logit, ndtr, stdtrit

from .curve import Curve

Array = NDArray[np.float64]


class Estimate(NamedTuple):
    """A curve with the independent sources of its error.

    value_e : (edges,) the curve; NaN where undefined.
    error_eu : (edges, sources) how far one standard deviation of each source moves the curve: first
        the blocks, then the modes of the smoothing bias.
    """

    value_e: Array
    error_eu: Array

    @property
    def deviation_e(self) -> Array:
        """(edges,) standard error."""
        deviation_e: Array = np.linalg.norm(self.error_eu, axis=1)
        return deviation_e

    def minus(self, other: Estimate) -> Estimate:
        """The difference of two curves of one ensemble, which share their sources."""
        sources = max(self.error_eu.shape[1], other.error_eu.shape[1])
        return Estimate(
            self.value_e - other.value_e,
            _widen(self.error_eu, sources) - _widen(other.error_eu, sources),
        )

    def where(self, chosen_e: NDArray[np.bool_], other: Estimate) -> Estimate:
        """This curve where chosen, else the other, which shares its sources."""
        sources = max(self.error_eu.shape[1], other.error_eu.shape[1])
        return Estimate(
            np.where(chosen_e, self.value_e, other.value_e),
            np.where(
                chosen_e[:, None], _widen(self.error_eu, sources), _widen(other.error_eu, sources)
            ),
        )


def _widen(error_eu: Array, sources: int) -> Array:
    return np.pad(error_eu, ((0, 0), (0, sources - error_eu.shape[1])))


@dataclass(frozen=True)
class ErrorBars:
    """Turns sources of error into intervals and bands.

    freedom : effective degrees of freedom of Student's distribution, one for all or (edges,).
    confidence : coverage of intervals and of bands.
    banded_e : (edges,) where bands are to hold.
    draw_ur : (sources, resamples) standard normal draws of the sources.
    """

    freedom: float | Array
    confidence: float
    banded_e: NDArray[np.bool_]
    draw_ur: Array

    @classmethod
    def pointwise(cls, freedom: float, confidence: float) -> ErrorBars:
        """Error bars without bands, for numbers that are no curve."""
        return cls(freedom, confidence, np.array(False), np.zeros((0, 0)))

    @classmethod
    def drawn(
        cls,
        freedom: float | Array,
        sources: int,
        draws: int,
        confidence: float,
        banded_e: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> ErrorBars:
        return cls(freedom, confidence, banded_e, rng.standard_normal((sources, draws)))

    def __call__(self, estimate: Estimate) -> Curve:
        """Student intervals; a band of the same shape.

        The band is as many standard errors wide as the draws' largest deviation along the curve
        is with the confidence asked (sup-t; Montiel Olea & Plagborg-Møller, J. Appl. Econometrics
        34, 1 (2019), doi:10.1002/jae.2656), carried from the normal to Student's distribution.
        """
        value_e, deviation_e = estimate.value_e, estimate.deviation_e
        half_e = stdtrit(self.freedom, (1 + self.confidence) / 2) * deviation_e
        band_e = np.where(self.banded_e, self.critical(estimate) * deviation_e, np.nan)
        return Curve(
            value_e, value_e - half_e, value_e + half_e, value_e - band_e, value_e + band_e
        )

    def share(self, estimate: Estimate, expected: Callable[[Array], Array]) -> Curve:
        """Bounds of a share from those of its logit.

        At 0 and 1 they are the exact binomial bound, for as many independent states as would have
        the standard error that is expected of a share of that size.

        Parameters
        ----------
        expected : from shares to the standard errors that these should have. Where that is above
            the one seen, the variance is the mean of the two: few blocks seldom show all of it.
        """
        share_e = estimate.value_e
        inside_e = np.where((share_e > 0) & (share_e < 1), share_e, np.nan)
        # Where nothing was seen to scatter there is nothing to widen either.
        seen_e = np.where(estimate.deviation_e > 0, estimate.deviation_e, np.inf)
        wider_e = np.sqrt((1 + np.maximum(expected(share_e) / seen_e, 1) ** 2) / 2)
        slope_e = wider_e / (inside_e * (1 - inside_e))
        curve = self(Estimate(logit(inside_e), estimate.error_eu * slope_e[:, None])).each(expit)
        edges, unseen = [share_e == 0, share_e == 1], self._unseen(expected)
        return curve._replace(
            value=share_e,
            low=np.select(edges, [0.0, 1 - unseen], curve.low),
            high=np.select(edges, [unseen, 1.0], curve.high),
        )

    def _unseen(self, expected: Callable[[Array], Array]) -> float:
        """Upper bound of a share of which nothing was seen."""
        bound = np.array(0.5)
        for _ in range(30):  # descends to where the states are worth what they were taken for
            effective = bound * (1 - bound) / expected(bound) ** 2
            bound = 1 - ((1 - self.confidence) / 2) ** (1 / effective)
        return float(bound)

    def critical(self, estimate: Estimate) -> Any:
        """Half-width of the band in standard errors; NaN where there is nothing to hold."""
        deviation_e = estimate.deviation_e
        part_e = self.banded_e & np.isfinite(estimate.value_e) & (deviation_e > 0)
        if not part_e.any():
            return np.nan
        unit_eu = estimate.error_eu[part_e] / deviation_e[part_e, None]
        largest_r = np.abs(unit_eu @ self.draw_ur[: unit_eu.shape[1]]).max(axis=0)
        tail = ndtr(-np.quantile(largest_r, self.confidence))
        return -stdtrit(self.freedom, tail)
