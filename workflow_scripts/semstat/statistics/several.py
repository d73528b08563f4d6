"""Numbers of several models that read, or continue, the same documents: means and slopes.

There are two units. Models trained from other seeds differ by chance, which is read off how far
they scatter about a linear model; and all of them stand on the same documents, which move all their
numbers at once, and so a mean or a slope of them. Each unit has its variance of an estimate, the
sum is the estimate's (as for two-way clusters: Cameron, Gelbach & Miller, J. Bus. Econ. Stat. 29,
238 (2011), doi:10.1198/jbes.2010.07136, whose third term, here left out, would make it less), and
Student's t has the degrees of freedom of such a sum (Satterthwaite, Biometrics Bull. 2, 110 (1946),
doi:10.2307/3002019).

To draw seeds and then documents again and again, and take percentiles, is common, and too narrow
for few seeds: with three, which scatter more than the documents do, it holds the truth some 75
times in a hundred where it says 95, since three drawn out of three scatter too little by √(2/3),
and a percentile knows no Student's t. Student's t over the seeds alone does not see the documents
that they share: where these scatter more, it fell to 61. What is here held it 94 to 98 times, with
two seeds 91 (tests/training/test_numbers.py). One model alone tells nothing of other seeds: its
interval is over documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from .blocks import Blocks
from .curve import Interval

Array = NDArray[np.float64]

SAME = 1e-12
"""Relative scatter that is rounding alone."""


class Number(NamedTuple):
    """A number of one model.

    value : of all documents; NaN where none has it.
    doc_d, moved_d : (documents,) which there are, and how far one standard deviation of each moves
        the number, inflated for leverage.
    freedom : degrees of freedom with which these tell its variance.
    """

    value: float
    doc_d: NDArray[np.int64]
    moved_d: Array
    freedom: float

    @classmethod
    def per(cls, sum_d: Array, count_d: Array, doc_d: NDArray[np.int64]) -> Number:
        """Sums over states of documents, divided by how many there are."""
        has_d = count_d > 0
        if not has_d.any():
            return cls(np.nan, doc_d[:0], sum_d[:0], np.nan)
        value = float(sum_d[has_d].sum() / count_d[has_d].sum())
        if has_d.sum() < 2:
            return cls(value, doc_d[has_d], np.full(1, np.nan), np.nan)
        blocks = _blocks(tuple(count_d[has_d].tolist()))
        return cls(
            value, doc_d[has_d], blocks.per_state(sum_d[has_d, None]).error_eu[0], blocks.freedom
        )

    def less(self, times: float, other: Number) -> Number:
        """This number less some times another one of the same model; documents are told apart."""
        doc_d = np.union1d(self.doc_d, other.doc_d)
        moved_d = np.zeros(len(doc_d))
        moved_d[np.searchsorted(doc_d, self.doc_d)] += self.moved_d
        moved_d[np.searchsorted(doc_d, other.doc_d)] -= times * other.moved_d
        value = self.value - times * other.value
        return Number(value, doc_d, moved_d, min(self.freedom, other.freedom))

    def interval(self, confidence: float) -> Interval[float]:
        """It with its interval over documents; bounds are NaN where these are too few to tell."""
        if np.isnan(self.freedom):
            return Interval(self.value, np.nan, np.nan)
        return combine([self], np.ones((1, 1)), confidence)[0]


@lru_cache
def _blocks(count_d: tuple[float, ...]) -> Blocks:
    """Documents of so many states: models that read the same share them, and what they cost."""
    return Blocks.of_documents(np.array(count_d))


def combine(
    numbers: Sequence[Number], design_ma: Array, confidence: float
) -> list[Interval[float]]:
    """Coefficients of a linear model by least squares, with intervals over models and documents.

    Parameters
    ----------
    numbers : of each model.
    design_ma : (models, coefficients): ones for a mean; with a column of doses also for a slope; an
        indicator of each of two groups, and so on. Of full rank.

    Returns
    -------
    Of each coefficient; bounds are NaN where nothing scatters, or what does cannot be told.
    """
    value_m = np.array([number.value for number in numbers])
    lever_am = np.linalg.pinv(design_ma)
    estimate_a = lever_am @ value_m
    residual_m = value_m - design_ma @ estimate_a
    models, coefficients = design_ma.shape
    doc_d, place = np.unique(np.concatenate([n.doc_d for n in numbers]), return_inverse=True)
    moved_md = np.zeros((models, len(doc_d)))
    moved_md[np.repeat(np.arange(models), [len(n.doc_d) for n in numbers]), place] = np.concatenate(
        [number.moved_d for number in numbers]
    )
    of_documents_a = np.square(lever_am @ moved_md).sum(axis=1)
    of_models_a = np.zeros(coefficients)
    if models > coefficients:
        square = float(residual_m @ residual_m) / (models - coefficients)
        of_models_a = square * np.square(lever_am).sum(axis=1)
    freedom = models - coefficients, min(number.freedom for number in numbers)
    rounding_a = SAME * np.abs(value_m).max() * np.linalg.norm(lever_am, axis=1)
    parts = zip(estimate_a, of_models_a, of_documents_a, rounding_a, strict=True)
    return [
        _interval(float(value), variances, rounding, freedom, confidence)
        for value, *variances, rounding in parts
    ]


def contrast(
    groups: Mapping[str, Sequence[Number]], weights: Mapping[str, float], confidence: float
) -> Interval[float]:
    """Σ w y over groups, y the mean of a group; models scatter as much in one as in any other.

    Parameters
    ----------
    groups : numbers of the models of each.
    weights : w of some of them, that of the first not 0; of the others the scatter alone is taken.
    """
    # One coefficient is the contrast, the others are means of all groups but one.
    here, share = next(iter(weights.items()))
    others = [name for name in groups if name != here]
    mean = {name: [0.0, *(float(name == other) for other in others)] for name in others}
    mean[here] = [1 / share, *(-weights.get(other, 0.0) / share for other in others)]
    design_ma = np.array([mean[name] for name, found in groups.items() for _ in found])
    found = [number for of_group in groups.values() for number in of_group]
    return combine(found, design_ma, confidence)[0]


def _interval(
    value: float,
    variances: Sequence[float],
    rounding: float,
    freedom: tuple[float, float],
    confidence: float,
) -> Interval[float]:
    """Student's, from variances over models and over documents, and the freedom of each."""
    variance = sum(variances)
    if not variance > rounding**2:
        return Interval(value if abs(value) > rounding else 0.0, np.nan, np.nan)
    units = zip(variances, freedom, strict=True)
    apart = sum((part / variance) ** 2 / free for part, free in units if part > 0)
    half = float(stdtrit(1 / apart, (1 + confidence) / 2) * np.sqrt(variance))
    return Interval(value, value - half, value + half)
