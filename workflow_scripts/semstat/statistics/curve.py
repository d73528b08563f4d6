"""Numbers and curves with their bounds, as estimators give them and as tables have them in columns.

Arrays only, and names of columns: no estimator, so that whoever reads or draws a table depends on
none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Number = TypeVar("Number")


class Interval(NamedTuple, Generic[Number]):
    """A number with the bounds of its interval; or as many of each, in arrays."""

    value: Number
    low: Number
    high: Number

    @classmethod
    def of(cls, columns: Mapping[str, Number], name: str) -> Interval[Number]:
        """The number that columns or a row have as name, name_low and name_high."""
        return cls(*(columns[column] for column in column_names(name, cls._fields)))

    @staticmethod
    def of_rows(rows: Iterable[Mapping[str, Any]], name: str) -> Interval[Array]:
        """The numbers that several rows have under one name, each part (rows,); NaN for None."""
        each = [Interval.of(row, name) for row in rows]
        return Interval(*np.array(each, dtype=np.float64).reshape(-1, 3).T)


class Curve(NamedTuple):
    """A curve with its bounds, each (edges,); NaN where undefined.

    value : the estimate.
    low, high : pointwise interval, which holds the truth at any one energy with the confidence
        asked for.
    band_low, band_high : simultaneous band, which holds all of the true curve, over the energies
        where it is defined, with that confidence.
    """

    value: Array
    low: Array
    high: Array
    band_low: Array
    band_high: Array

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[Any]], name: str) -> Curve:
        """The curve that the columns of a table have as name, name_low, … name_band_high.

        >>> curve = Curve(*np.zeros((5, 3)))
        >>> all((a == b).all() for a, b in zip(Curve.of(curve.columns("T"), "T"), curve))
        True
        """
        return cls(*(columns[column] for column in column_names(name, cls._fields)))

    def columns(self, name: str) -> dict[str, Array]:
        """The curve as columns of a table: name, name_low, … name_band_high."""
        return dict(zip(column_names(name, self._fields), self, strict=True))

    def intervals(self, names: Iterable[str]) -> dict[str, Interval[float]]:
        """Numbers that are no curve, each by its name."""
        parts = zip(*(part.tolist() for part in self[:3]), strict=True)
        return {name: Interval(*part) for name, part in zip(names, parts, strict=True)}

    def each(self, function: Callable[[Array], Array]) -> Curve:
        """The curve on another scale, by an increasing function."""
        return Curve(*(function(part) for part in self))


def column_names(name: str, parts: Iterable[str]) -> list[str]:
    """Names of the columns of an interval or a curve.

    >>> column_names("T", Interval._fields)
    ['T', 'T_low', 'T_high']
    """
    return [name if part == "value" else f"{name}_{part}" for part in parts]
