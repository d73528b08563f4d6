"""Tables put together as CSV files."""

import pyarrow as pa
import pytest

from workflow_scripts.running.tabulate import tabulate
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import write_table


def test_digits_are_those_asked_for(tmp_path):
    table = pa.table({"energy": [-0.999999, 0.123456789], "layer": [0, 1]})
    write_table(tmp_path / "a.parquet", table, Provenance())
    tabulate([tmp_path / "a.parquet"], digits=9, out=tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == '"energy","layer"\n-0.999999,0\n0.123456789,1\n'
    tabulate([tmp_path / "a.parquet"] * 2, out=tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text().splitlines()[1:] == ["-1,0", "0.1235,1"] * 2


def test_lists_have_no_place_in_a_csv_file(tmp_path):
    table = pa.table({"block": [0], "counts": pa.array([[1, 2]])})
    write_table(tmp_path / "states.parquet", table, Provenance())
    with pytest.raises(
        InputError, match=r"states.parquet: column counts holds lists.*read the Parq"
    ):
        tabulate([tmp_path / "states.parquet"], out=tmp_path / "states.csv")
    assert not (tmp_path / "states.csv").exists()
