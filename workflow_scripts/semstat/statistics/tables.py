"""Columns of curves with their bounds."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from .curve import Curve, column_names


def curve_fields(quantities: Iterable[str]) -> list[pa.Field]:
    """Columns of each quantity, its pointwise interval and its simultaneous band.

    `_low` and `_high` bound the interval, `_band_low` and `_band_high` the band; null where
    undefined.
    """
    return [
        pa.field(column, pa.float64())
        for quantity in quantities
        for column in column_names(quantity, Curve._fields)
    ]
