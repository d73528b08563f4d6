"""The columns of the energies table, and what follows from them."""

import re

from tests.runs import REPO
from workflow_scripts.semstat.energies.columns import COLUMNS
from workflow_scripts.semstat.energies.measure import KNOWN, MEASURED
from workflow_scripts.semstat.energies.tables import ENERGIES


def test_the_schema_has_the_columns_in_their_order():
    kinds = [field.type.to_pandas_dtype().__name__ for field in ENERGIES]
    assert kinds == [column.type for column in COLUMNS]
    assert [field.nullable for field in ENERGIES] == [column.nullable for column in COLUMNS]
    assert ENERGIES.names == [column.name for column in COLUMNS]
    assert sorted(ENERGIES.names) == sorted([*KNOWN, *(column.name for column in MEASURED)])


def test_the_page_of_results_has_a_row_a_column():
    text = (REPO / "docs/results.md").read_text()
    [table] = re.findall(r"\| column of energies \| type \| meaning \|\n.*\n((?:\|.*\n)+)", text)
    rows = [f"| `{column.name}` | {column.type} | {column.meaning} |" for column in COLUMNS]
    assert table.splitlines() == rows
