"""States beside others at the same positions: differences of means, and areas under the ROC."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..statistics.areas import placements
from ..statistics.several import Number

STRATUM = 16
"""Positions that count as the same."""

FEWEST = 2
"""Documents that others at some positions must be of, for how far they scatter to be told."""

Array = NDArray[np.float64]
Where = NDArray[np.bool_]


class Matched(NamedTuple):
    """Some states, and others that stand where these do; both are rows of the same columns.

    case_s, other_s : rows of each; without those at positions where the other kind has none.
    stratum_c, stratum_o : (rows,) the positions that each is at, by number.
    weight_o : (rows,) of the others, so that these are at each position as often as the cases; of
        each stratum it sums to its cases.
    inflation_o : (rows,) by how much deviations from the mean of a stratum are too small.
    doc_c, doc_o : (rows,) document of each, by number.
    doc_d : the documents.
    """

    case_s: NDArray[np.int64]
    other_s: NDArray[np.int64]
    stratum_c: NDArray[np.int64]
    stratum_o: NDArray[np.int64]
    weight_o: Array
    inflation_o: Array
    doc_c: NDArray[np.int64]
    doc_o: NDArray[np.int64]
    doc_d: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        doc_s: NDArray[np.integer],
        position_s: NDArray[np.integer],
        case_s: Where,
        other_s: Where,
    ) -> Self:
        """Match states by position.

        Parameters
        ----------
        case_s, other_s : (states,) which states are of either kind.
        """
        doc_d, number_s = np.unique(doc_s.astype(np.int64), return_inverse=True)
        stratum_s = position_s.astype(np.int64) // STRATUM
        strata = int(stratum_s.max(initial=0)) + 1
        there = np.zeros((len(doc_d), strata), dtype=bool)
        there[number_s[other_s], stratum_s[other_s]] = True
        docs_z = there.sum(axis=0)
        cases_z = np.bincount(stratum_s[case_s], minlength=strata)
        both_z = (docs_z >= FEWEST) & (cases_z > 0)
        (case,), (other,) = (np.nonzero(of_s & both_z[stratum_s]) for of_s in (case_s, other_s))
        others_z = np.bincount(stratum_s[other], minlength=strata)
        stratum_o = stratum_s[other]
        return cls(
            *(case, other, stratum_s[case], stratum_o),
            cases_z[stratum_o] / others_z[stratum_o],
            np.sqrt(docs_z[stratum_o] / (docs_z[stratum_o] - 1)),
            *(number_s[case], number_s[other], doc_d),
        )

    def difference(self, value_s: Array) -> Number:
        """Mean of the cases less that of the others, at each position as many."""
        value_o = value_s[self.other_s]
        mean_z = self._by_stratum(value_o)
        apart_c = value_s[self.case_s] - mean_z[self.stratum_c]
        return self._number(apart_c, value_o - mean_z[self.stratum_o], 1.0)

    def area(self, value_s: Array) -> Number:
        """Area under the ROC: how often the value of a case is above that of one of the others.

        At the same positions, ties counting half (Obuchowski, Biometrics 53, 567 (1997),
        doi:10.2307/2533958, has its variance where states come in documents).
        """
        value_c, value_o = value_s[self.case_s], value_s[self.other_s]
        above_c, below_o = np.zeros(len(value_c)), np.zeros(len(value_o))
        for stratum in np.unique(self.stratum_c):
            (c,), (o,) = (np.nonzero(of == stratum) for of in (self.stratum_c, self.stratum_o))
            above_c[c] = placements(value_c[c], value_o[o])
            below_o[o] = 1 - placements(value_o[o], value_c[c])
        return self._number(above_c, below_o - self._by_stratum(below_o)[self.stratum_o], -1.0)

    def _by_stratum(self, value_o: Array) -> Array:
        """(strata,) mean over the others; 0 where there are none."""
        strata = int(self.stratum_o.max(initial=0)) + 1
        count_z = np.bincount(self.stratum_o, minlength=strata)
        mean_z: Array = np.bincount(self.stratum_o, value_o, strata) / np.maximum(count_z, 1)
        return mean_z

    def _number(self, value_c: Array, off_mean_o: Array, times: float) -> Number:
        """Mean over the cases; the others move it too, by their deviations from their means."""
        of_cases = self._per(self.doc_c, value_c, np.ones(len(value_c)))
        moved_o = self.weight_o * self.inflation_o * off_mean_o
        of_others = self._per(self.doc_o, moved_o, self.weight_o)
        return of_cases.less(times, of_others) if len(self.case_s) else of_cases

    def _per(self, doc_x: NDArray[np.int64], sum_x: Array, weight_x: Array) -> Number:
        """Sums over weights, of rows that are of these documents."""
        sum_d, weight_d = (
            np.bincount(doc_x, of_x, len(self.doc_d)).astype(np.float64)
            for of_x in (sum_x, weight_x)
        )
        return Number.per(sum_d, weight_d, self.doc_d)
