"""The marginal entropy of infinitely many runs, from means over R of them and over fewer.

With more runs the plain entropy H(R) of their mean distribution rises to H∞, and the cross-entropy
between folds and all other runs falls to it (marginal.py). Two extrapolations use the two:

- *balanced*: the point between the bounds at which what they lack cancels to first order in the
  scatter of the runs. H(R) is too low by b/R, the cross-entropy too high by b/R', R' being the runs
  that a fold is compared with, so that the weight of the latter is R'/(R + R').
- *fitted*: from H(R) alone. Of a fit H∞ − a R^−b to all sizes and Richardson's step, b = 1, the
  former was too high and the latter too low in known mixtures, and the truth about two fifths
  of the way up from the latter.

Where runs hardly overlap either may be far too high, seldom both: the lower of the two is taken. It
is not linear, so means over prompts go in and not single prompts, and the jackknife over prompts
tells its error. docs/generation.md has measured biases.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars, Estimate
from ..statistics.curve import Interval

Array = NDArray[np.float64]

LARGEST_SHARE = 0.8
"""Of ln R that the divergence may take. Beyond it the extrapolation was wrong by up to 4 nats in
known mixtures; below it by a tenth of what it adds as a rule, and two fifths at most."""

EXPONENTS = np.linspace(0.1, 1.0, 46)
"""b of the fit: from hardly a rise to what every finite support comes to in the end."""

OF_THE_WAY = 0.4
"""From Richardson's step to the fit."""

UNSURE = 0.2
"""Standard error of what is added to the plain entropy, over itself: how far the extrapolation was
off, root mean square, 0.15 in known mixtures and 0.16 to 0.2 in a model's text, of which 512 runs
were written. It is not noise: neighbouring positions are off alike."""

ALONE = 2.0
"""Error over runs of one prompt's extrapolation, over that of the plain entropy: of a model's text
and 30 runs it was 1.3 to 2.1."""


class Marginals(NamedTuple):
    """Means over prompts by position, nats, each part of each (positions,); NaN where unknown.

    plain : H[p̄] of R runs.
    extrapolated : of infinitely many; unknown where out of reach, or where a run has ended.
    upper : the cross-entropy; unknown where it is infinite.
    """

    plain: Interval[Array]
    extrapolated: Interval[Array]
    upper: Interval[Array]


def describe_marginals(
    plain_dt: Array,
    error_dt: Array,
    conditional_dt: Array,
    subset_dtz: Array,
    cross_dt: Array,
    sizes: tuple[int, ...],
    confidence: float,
) -> Marginals:
    """Marginal entropies by position on average over prompts, with bounds on both sides.

    Parameters
    ----------
    plain_dt, error_dt, conditional_dt, cross_dt : (prompts, positions) as `marginal.Marginal` has
        them, nats.
    subset_dtz : (prompts, positions, sizes) mean entropies of groups of runs.
    sizes : of the groups, descending, the first R.
    confidence : of Student's intervals, over prompts; with one prompt, over its runs, which tell
        nothing of how far the upper bound scatters.
    """
    prompts, mean_t = len(plain_dt), plain_dt.mean(axis=0)
    value_t = extrapolate(subset_dtz.mean(axis=0), cross_dt.mean(axis=0), sizes)
    value_t[~in_reach(mean_t, conditional_dt.mean(axis=0), sizes[0])] = np.nan
    freedom = np.array((prompts if prompts > 1 else sizes[0]) - 1.0)
    if prompts > 1:
        plain = mean_over_prompts(plain_dt, confidence)
        without_dt = extrapolate(_without_each(subset_dtz), _without_each(cross_dt), sizes)
        moved_td = (without_dt - without_dt.mean(axis=0)).T * np.sqrt((prompts - 1) / prompts)
    else:
        plain = _interval(mean_t, error_dt.T, freedom, confidence)
        moved_td = ALONE * error_dt.T
    upper = mean_over_prompts(cross_dt, confidence)
    error_tu = np.column_stack([moved_td, UNSURE * (value_t - mean_t)])
    return Marginals(plain, _interval(value_t, error_tu, freedom, confidence), _finite(upper))


def extrapolate(subset_z: Array, cross: Array, sizes: tuple[int, ...]) -> Array:
    """H∞, nats, of entropies that are means over prompts.

    Parameters
    ----------
    subset_z : (…, sizes) mean entropies of groups of runs.
    cross : (…) cross-entropy between the smallest groups and all other runs; may be infinite.
    sizes : of the groups, descending, the first R.
    """
    plain, runs, others = subset_z[..., 0], sizes[0], sizes[0] - sizes[-1]
    step = (plain - subset_z[..., 1]) * sizes[1] / (runs - sizes[1])
    fitted = plain + step + OF_THE_WAY * (_fit(subset_z, sizes) - plain - step)
    balanced = plain + (cross - plain) * others / (runs + others)
    lower: Array = np.fmin(balanced, fitted)  # NaN is what is left of infinities
    return lower


def in_reach(plain: Array, conditional: Array, runs: int) -> NDArray[np.bool_]:
    """Whether runs share enough to tell what is beyond them."""
    reached: NDArray[np.bool_] = plain - conditional <= LARGEST_SHARE * np.log(runs)
    return reached


def mean_over_prompts(value_dt: Array, confidence: float) -> Interval[Array]:
    """Means by position over the prompts that have a value there, with Student's intervals.

    NaN where no prompt has one; the bounds, where only one has.
    """
    has_dt = ~np.isnan(value_dt)
    count_t = has_dt.sum(axis=0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_t = np.where(has_dt, value_dt, 0.0).sum(axis=0) / count_t
        moved_dt = np.where(has_dt, value_dt - mean_t, 0.0) / np.sqrt(count_t * (count_t - 1))
    return _interval(mean_t, moved_dt.T, np.maximum(count_t - 1, 1), confidence)


def _fit(subset_z: Array, sizes: tuple[int, ...]) -> Array:
    """H∞ of the best fit of H∞ − a R^−b, sizes weighing as they hold runs."""
    exponent_q = EXPONENTS if len(sizes) > 2 else EXPONENTS[-1:]
    size_z = np.array(sizes, dtype=np.float64)
    basis_qz2 = np.stack(np.broadcast_arrays(1.0, -(size_z ** -exponent_q[:, None])), axis=-1)
    weighted_qz2 = np.sqrt(size_z)[:, None] * basis_qz2
    seen_z = np.sqrt(size_z) * subset_z
    found_q2 = np.einsum("qmz,...z->...qm", np.linalg.pinv(weighted_qz2), seen_z)
    fitted_qz = np.einsum("qzm,...qm->...qz", weighted_qz2, found_q2)
    error_q = np.square(fitted_qz - seen_z[..., None, :]).sum(axis=-1)
    best = np.argmin(error_q, axis=-1)[..., None]
    limit: Array = np.take_along_axis(found_q2[..., 0], best, axis=-1)[..., 0]
    return limit


def _without_each(value_d: Array) -> Array:
    """(prompts, …) mean of all other prompts."""
    with np.errstate(invalid="ignore"):
        others_d: Array = (value_d.sum(axis=0) - value_d) / (len(value_d) - 1)
    return others_d


def _interval(
    value_t: Array, error_tu: Array, freedom_t: Array, confidence: float
) -> Interval[Array]:
    bars = ErrorBars(freedom_t, confidence, np.array(False), np.zeros((0, 0)))
    curve = bars(Estimate(value_t, error_tu))
    return Interval(curve.value, curve.low, curve.high)


def _finite(interval: Interval[Array]) -> Interval[Array]:
    """Nothing is known of what is infinite."""
    return Interval(*(np.where(np.isfinite(interval.value), part, np.nan) for part in interval))
