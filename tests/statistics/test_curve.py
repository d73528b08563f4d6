"""Curves and intervals go into columns and come back."""

import numpy as np
import pyarrow as pa
import pytest

from workflow_scripts.semstat.statistics.curve import Curve, Interval
from workflow_scripts.semstat.statistics.tables import curve_fields
from workflow_scripts.semstat.tables import interval_columns, interval_fields, table_of

PARTS = Curve(*np.random.default_rng(0).random((5, 7)))


def test_a_curve_comes_back_from_the_columns_of_a_table():
    schema = pa.schema(curve_fields(["entropy", "temperature"]))
    columns = PARTS.columns("temperature") | PARTS.each(np.log).columns("entropy")
    table = table_of(columns, schema)
    read = {name: table[name].to_numpy() for name in table.column_names}
    for name, curve in (("temperature", PARTS), ("entropy", PARTS.each(np.log))):
        np.testing.assert_array_equal(Curve.of(read, name), curve)


def test_an_interval_comes_back_from_the_columns_of_a_row():
    numbers = PARTS.intervals(["a", "b", "c", "d", "e", "f", "g"])
    assert numbers["c"] == (PARTS.value[2], PARTS.low[2], PARTS.high[2])
    row = interval_columns(numbers)
    assert list(row) == [field.name for field in interval_fields(numbers)]
    assert {name: Interval.of(row, name) for name in numbers} == numbers


def test_a_column_that_is_missing_is_named():
    with pytest.raises(KeyError, match="density_band_low"):
        Curve.of(dict.fromkeys(("density", "density_low", "density_high"), PARTS.value), "density")
