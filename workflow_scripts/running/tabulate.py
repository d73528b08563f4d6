"""The command that puts tables together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from ..semstat.errors import InputError
from ..semstat.tables import completed, open_table, read_table
from .command import run


def tabulate(tables: list[Path], /, *, digits: int = 4, out: Path) -> None:
    """Put the rows of many small Parquet files into one CSV file.

    Parameters
    ----------
    tables
        Parquet files of this workflow, all with the same columns.
    digits
        Significant digits of numbers.
    out
        CSV file to make.
    """
    # One file that is not of these tables is to blame, not all the others.
    schemas = Counter(open_table(path).schema_arrow.remove_metadata() for path in tables)
    [(schema, _)] = schemas.most_common(1)
    table = pa.concat_tables(read_table(path, schema).replace_schema_metadata() for path in tables)
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise InputError(
            f"{tables[0]}: column {nested[0]} holds lists, for which CSV has no place; read the "
            f"Parquet file itself"
        )
    for index, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            rounded = [
                x if x is None else float(f"{x:.{digits}g}") for x in table[index].to_pylist()
            ]
            table = table.set_column(index, field, pa.array(rounded, field.type))
    with completed(out) as (temporary,):
        pyarrow.csv.write_csv(table, temporary)


if __name__ == "__main__":
    run(tabulate)
