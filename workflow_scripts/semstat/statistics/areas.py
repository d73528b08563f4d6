"""How well a score tells two kinds of states apart, and what a second one adds to a first.

The area under the ROC curve is the share of pairs, one state of each kind, of which the right one
has the larger score. Its error is read off the scatter of documents: how far each moves it is the
sum over its states of their placements among those of the other kind, less the area (DeLong,
DeLong & Clarke-Pearson, Biometrics 44, 837 (1988), doi:10.2307/2531595; of clusters: Obuchowski,
Biometrics 53, 567 (1997), doi:10.2307/2533958). Areas of several scores share their documents, so
differences are differences of how far these move them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from .curve import Interval
from .several import Number

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Labels = NDArray[np.int64]

FOLDS = 4
"""Groups of documents: the weights of two scores are found on all but one, and tried on that."""

FEWEST_DOCUMENTS = 2 * FOLDS

STEPS = 50
"""Of Newton's method; a few are enough."""


def area(score_s: Array, positive_s: Mask, doc_s: Labels, fold_s: Labels | None = None) -> Number:
    """Area under the ROC curve, over documents; ties count half.

    Parameters
    ----------
    score_s : (states,) the larger, the likelier positive.
    positive_s : (states,) which are of the kind that is to be found.
    doc_s : (states,) documents.
    fold_s : (states,) groups of documents, of which pairs are within one only.

    Returns
    -------
    NaN where there is no pair; without an error where pairs are of one document.
    """
    doc_d, at_s = np.unique(doc_s, return_inverse=True)
    folds = [np.ones(len(doc_s), np.bool_)]
    if fold_s is not None:
        folds = [fold_s == fold for fold in np.unique(fold_s)]
    total, pairs, used, freedom = 0.0, 0.0, np.zeros(len(doc_d), np.bool_), 0
    moved_d = np.zeros(len(doc_d))
    for here_s in folds:
        kinds = [np.flatnonzero(here_s & positive_s), np.flatnonzero(here_s & ~positive_s)]
        if not (len(kinds[0]) and len(kinds[1])):
            continue
        place_p = placements(score_s[kinds[0]], score_s[kinds[1]])
        place_n = 1 - placements(score_s[kinds[1]], score_s[kinds[0]])
        weight, value = float(len(place_p) * len(place_n)), float(place_p.mean())
        here_d = np.unique(at_s[here_s])
        if len(here_d) > 1:
            inflated = weight * np.sqrt(len(here_d) / (len(here_d) - 1))
            for kind, place in zip(kinds, (place_p, place_n), strict=True):
                moved = np.bincount(at_s[kind], (place - value) / len(place), len(doc_d))
                moved_d += inflated * moved
            freedom += len(here_d) - 1
        used[here_d] = True
        total, pairs = total + weight * value, pairs + weight
    if not pairs:
        return Number(np.nan, doc_d[:0], moved_d[:0], np.nan)
    return Number(
        total / pairs, doc_d[used], moved_d[used] / pairs, float(freedom) if freedom else np.nan
    )


def area_interval(number: Number, confidence: float) -> Interval[float]:
    """An area with its interval over documents, found on the scale of its logit.

    Bounds are NaN where nothing scatters, as at an area of 0 or 1.
    """
    value = number.value
    if not 0 < value < 1:
        return Interval(value, np.nan, np.nan)
    scaled = number._replace(
        value=float(logit(value)), moved_d=number.moved_d / (value * (1 - value))
    ).interval(confidence)
    return Interval(value, float(expit(scaled.low)), float(expit(scaled.high)))


class Gain(NamedTuple):
    """By how much two scores together have a larger area than the first alone.

    gain : of the second as it is.
    null : of the second dealt anew within each document.
    beyond : gain − null.
    """

    gain: Number
    null: Number
    beyond: Number


def gain(
    first_s: Array,
    second_s: Array,
    positive_s: Mask,
    doc_s: Labels,
    draws: int,
    rng: np.random.Generator,
) -> Gain:
    """What a score adds to another one, by logistic regression on normal scores of their ranks.

    The weights are found on the documents of all folds but one and tried on that one, and the first
    alone likewise, so that its sign is found too. Areas are of pairs within a fold.

    Parameters
    ----------
    first_s, second_s : (states,) scores.
    positive_s, doc_s : as for `area`.
    draws : how often the second one is dealt anew.
    """
    _, at_s = np.unique(doc_s, return_inverse=True)
    fold_s = at_s % FOLDS
    order_s = np.argsort(at_s, kind="stable")
    x_s, y_s = normal_scores(first_s), normal_scores(second_s)

    def tried(*columns: Array) -> Number:
        return area(_crossed(np.stack(columns), positive_s, fold_s), positive_s, doc_s, fold_s)

    def dealt() -> Array:
        dealt_s = np.empty_like(y_s)
        dealt_s[order_s] = y_s[np.lexsort((rng.random(len(at_s)), at_s))]
        return dealt_s

    alone = tried(x_s)
    more = tried(x_s, y_s).less(1, alone)
    null = _mean(tried(x_s, dealt()).less(1, alone) for _ in range(draws))
    return Gain(more, null, more.less(1, null))


def normal_scores(score_s: Array) -> Array:
    """Normal quantiles of ranks, of ties their middle.

    >>> normal_scores(np.array([7.0, -2.0, 3.0])).round(2).tolist()
    [0.97, -0.97, 0.0]
    """
    quantile_s: Array = ndtri(placements(score_s, score_s))
    return quantile_s


def placements(score_p: Array, among_n: Array) -> Array:
    """(p,) share of the others that each is above; ties count half."""
    sorted_n = np.sort(among_n)
    below_p = np.searchsorted(sorted_n, score_p, "left")
    placement_p: Array = (below_p + np.searchsorted(sorted_n, score_p, "right")) / 2 / len(among_n)
    return placement_p


def _crossed(score_cs: Array, positive_s: Mask, fold_s: Labels) -> Array:
    """(states,) log odds, each by weights that were found on the other folds."""
    odds_s = np.zeros(len(fold_s))
    for fold in np.unique(fold_s):
        here_s = fold_s == fold
        weight_c = _logistic(score_cs[:, ~here_s], positive_s[~here_s])
        odds_s[here_s] = weight_c @ score_cs[:, here_s]
    return odds_s


def _logistic(score_cs: Array, positive_s: Mask) -> Array:
    """(scores,) slopes of a logistic regression, by Newton's method.

    With standard normal priors, so that they are finite where scores tell all states apart.
    """
    design_as = np.concatenate([np.ones((1, score_cs.shape[1])), score_cs])
    prior_aa = np.eye(len(design_as))
    weight_a = np.zeros(len(design_as))
    for _ in range(STEPS):
        p_s = expit(weight_a @ design_as)
        slope_a = design_as @ (positive_s - p_s) - weight_a
        step_a = np.linalg.solve((design_as * p_s * (1 - p_s)) @ design_as.T + prior_aa, slope_a)
        weight_a += step_a
        if np.abs(step_a).max() < 1e-8:
            break
    return weight_a[1:]


def _mean(numbers: Iterable[Number]) -> Number:
    """The mean of numbers that share their documents."""
    found = list(numbers)
    value = float(np.mean([number.value for number in found]))
    return found[0]._replace(value=value, moved_d=np.mean([n.moved_d for n in found], axis=0))
