"""Which measures go with which outcomes, given what else is known of a state, and under nulls.

A partial rank correlation is that of the residuals of ranks, regressed on the ranks of covariates:
it needs no scale of any of them, and of an outcome that is true or false it is the same whether
that is ranked or not. Spearman's without covariates (Kim, Commun. Stat. Appl. Methods 22, 665
(2015), doi:10.5351/CSAM.2015.22.6.665).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars, Estimate
from ..statistics.blocks import Blocks
from ..statistics.curve import Curve

Array = NDArray[np.float64]

LEAST = 1e-9
"""Share of its variance that a variable must keep beside the covariates."""


class Null(NamedTuple):
    """Partial correlations where measures are dealt anew.

    mean, low, high : (outcomes, measures) over draws, with the confidence asked for.
    p : (outcomes, measures) share of draws as far from their mean as what was found.
    """

    mean: Array
    low: Array
    high: Array
    p: Array


class Association(NamedTuple):
    """Correlations of outcomes with measures, each part (outcomes, measures).

    plain : Spearman's, with its interval.
    partial : given covariates.
    nulls : by name.
    """

    plain: Curve
    partial: Curve
    nulls: dict[str, Null]


def associate(
    outcome_zs: Array,
    measure_zs: Array,
    covariate_zs: Array,
    doc_s: NDArray[np.integer],
    block_s: NDArray[np.integer],
    draws: int,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> Association:
    """Correlate outcomes with measures.

    Intervals are Student's on the scale of Fisher's z, of what each block of documents moves a
    correlation by: it is left out, and all are ranked anew.

    Parameters
    ----------
    outcome_zs, measure_zs, covariate_zs : (…, states) of whatever number; finite.
    doc_s : (states,) document of each state; those of a document in a row, by position.
    block_s : (states,) block of documents.
    draws : of each null.
    confidence : coverage of intervals, and of nulls between `low` and `high`.

    Raises
    ------
    ValueError
        If all states are in one block of documents.
    """
    outcomes, measures = len(outcome_zs), len(measure_zs)
    ranked = _Ranked.of(np.concatenate([outcome_zs, measure_zs, covariate_zs]))
    blocks, number_s = _blocks(doc_s, block_s)
    if len(blocks.states_b) < 2:
        raise ValueError(
            "all states are in one block of documents; an error bar needs two: take more documents"
        )

    def both(kept_s: NDArray[np.bool_] | None = None) -> Array:
        covariance = ranked.covariance(kept_s)
        return np.stack(
            [_correlations(covariance, outcomes, measures, given) for given in (False, True)]
        )

    found = both()
    without_b = np.array([both(number_s != number) for number in range(len(blocks.states_b))])
    # Of a mean over states, this is how far the block moves it.
    moved_b = (np.arctanh(found) - np.arctanh(without_b)).reshape(len(without_b), -1)
    error_zb = (moved_b * ((1 - blocks.weight_b) * blocks.inflation_b)[:, None]).T
    bars = ErrorBars.pointwise(blocks.freedom, confidence)
    curve = bars(Estimate(np.arctanh(found).ravel(), error_zb)).each(np.tanh)
    plain, partial = (
        Curve(*(part.reshape(found.shape)[which] for part in curve)) for which in range(2)
    )
    residuals = _Residuals.of(ranked.ranks(), outcomes, measures)
    nulls = {
        name: _null(residuals, deal(doc_s, draws, rng), partial.value, confidence)
        for name, deal in DEALS.items()
    }
    return Association(plain, partial, nulls)


class _Ranked(NamedTuple):
    """Variables as codes that ascend with their values.

    code_zs : (variables, states)
    codes_z : how many different values each has.
    """

    code_zs: NDArray[np.int64]
    codes_z: list[int]

    @classmethod
    def of(cls, value_zs: Array) -> _Ranked:
        code_zs = np.empty(value_zs.shape, dtype=np.int64)
        codes_z = []
        for code_s, value_s in zip(code_zs, value_zs, strict=True):
            values, code_s[:] = np.unique(value_s, return_inverse=True)
            codes_z.append(len(values))
        return cls(code_zs, codes_z)

    def ranks(self, kept_s: NDArray[np.bool_] | None = None) -> Array:
        """(variables, states kept) ranks about their mean, over how many there are; ties share."""
        code_zs = self.code_zs if kept_s is None else self.code_zs[:, kept_s]
        states = code_zs.shape[1]
        rank_zs = np.empty(code_zs.shape)
        for rank_s, code_s, codes in zip(rank_zs, code_zs, self.codes_z, strict=True):
            count = np.bincount(code_s, minlength=codes)
            rank = np.cumsum(count) - (count - 1) / 2
            rank_s[:] = (rank[code_s] - (states + 1) / 2) / states
        return rank_zs

    def covariance(self, kept_s: NDArray[np.bool_] | None) -> Array:
        """(variables, variables) of the ranks."""
        rank_zs = self.ranks(kept_s)
        covariance: Array = rank_zs @ rank_zs.T / rank_zs.shape[1]
        return covariance


def _correlations(covariance: Array, outcomes: int, measures: int, given: bool) -> Array:
    """(outcomes, measures) of ranks, given the last variables or not; NaN where one is constant."""
    first = outcomes + measures
    own = covariance[:first, :first]
    if given:
        beside = covariance[:first, first:]
        inverse = np.linalg.pinv(covariance[first:, first:], rcond=LEAST, hermitian=True)
        own = own - beside @ inverse @ beside.T
    left = np.diag(own)
    whole = np.maximum(np.diag(covariance)[:first], np.finfo(float).tiny)
    deviation = np.sqrt(np.where(left > LEAST * whole, left, np.nan))
    correlation: Array = (own / deviation / deviation[:, None])[:outcomes, outcomes:]
    return np.clip(correlation, -1 + 1e-12, 1 - 1e-12)


def _blocks(
    doc_s: NDArray[np.integer], block_s: NDArray[np.integer]
) -> tuple[Blocks, NDArray[np.int64]]:
    """The blocks, and the number of each state's among them."""
    number_s = np.unique(block_s, return_inverse=True)[1]
    _, first_d, states_d = np.unique(doc_s, return_index=True, return_counts=True)
    squared_b = np.bincount(number_s[first_d], weights=states_d.astype(np.float64) ** 2)
    states_b = np.bincount(number_s).astype(np.float64)
    return Blocks(states_b, squared_b.astype(np.float64), 1.0), number_s


class _Residuals(NamedTuple):
    """What nulls are made of.

    outcome_zs : (outcomes, states) residuals, of norm 1.
    measure_zs : (measures, states) ranks about their mean.
    basis_zs : (…, states) orthonormal, of the ranks of covariates.
    """

    outcome_zs: Array
    measure_zs: Array
    basis_zs: Array

    @classmethod
    def of(cls, rank_zs: Array, outcomes: int, measures: int) -> _Residuals:
        outcome_zs, measure_zs, covariate_zs = np.split(rank_zs, [outcomes, outcomes + measures])
        square, axis = np.linalg.eigh(covariate_zs @ covariate_zs.T)
        kept = square > LEAST * max(square.max(initial=0.0), np.finfo(float).tiny)
        basis_zs = (axis[:, kept] / np.sqrt(square[kept])).T @ covariate_zs
        outcome_zs = outcome_zs - (outcome_zs @ basis_zs.T) @ basis_zs
        return cls(
            outcome_zs / np.linalg.norm(outcome_zs, axis=1, keepdims=True), measure_zs, basis_zs
        )

    def correlations(self, order_s: NDArray[np.int64]) -> Array:
        """(outcomes, measures) partial ones where states have the measures of others."""
        dealt_zs = self.measure_zs[:, order_s]
        left_z = np.sum(dealt_zs**2, axis=1) - np.sum((dealt_zs @ self.basis_zs.T) ** 2, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation: Array = (self.outcome_zs @ dealt_zs.T) / np.sqrt(left_z)
        return correlation


def _null(
    residuals: _Residuals, orders: Iterator[NDArray[np.int64]], found: Array, confidence: float
) -> Null:
    drawn_r = np.array([residuals.correlations(order_s) for order_s in orders])
    mean = drawn_r.mean(axis=0)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn_r, [tail, 1 - tail], axis=0)
    beyond = np.abs(drawn_r - mean) >= np.abs(found - mean)
    p = (1 + beyond.sum(axis=0)) / (1 + len(drawn_r))
    # What is the same all through a document stays as it is, and tells nothing.
    told = (np.ptp(drawn_r, axis=0) > LEAST) & np.isfinite(found)
    return Null(*(np.where(told, part, np.nan) for part in (mean, low, high, p)))


def _shuffled(
    doc_s: NDArray[np.integer], draws: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Whose measures each state has: those of a random other one of its document."""
    doc_s = np.unique(doc_s, return_inverse=True)[1]
    for _ in range(draws):
        yield np.argsort(doc_s + rng.random(len(doc_s)))


def _shifted(
    doc_s: NDArray[np.integer], draws: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Those of the state so many places further on in its document, which goes on at its start."""
    states_d = np.unique(doc_s, return_counts=True)[1]
    first_d = np.concatenate([[0], np.cumsum(states_d)[:-1]])
    number_s = np.repeat(np.arange(len(first_d)), states_d)
    place_s = np.arange(len(doc_s)) - first_d[number_s]
    for _ in range(draws):
        by_d = rng.integers(0, states_d, size=len(states_d))
        yield first_d[number_s] + (place_s + by_d[number_s]) % states_d[number_s]


Deal = Callable[[NDArray[np.integer], int, np.random.Generator], Iterator[NDArray[np.int64]]]

DEALS: Mapping[str, Deal] = {"shuffled": _shuffled, "shifted": _shifted}
"""Nulls that keep both margins and what documents share; a shift, what neighbours share too."""
