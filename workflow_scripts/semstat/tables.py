"""Parquet tables between rules: how they are made, written whole or not at all, and read back."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .errors import OPTIONS, InputError
from .provenance import Provenance

PROVENANCE = b"semantic-statistics"
"""Key of the provenance, a JSON object, in a file's metadata."""

LATER = {"later": "yes"}
"""Metadata of a field that files may be without, since they were written before it was: null."""

BOUNDS = ("", "_low", "_high")
"""What a number's name ends with, and those of the bounds of its interval."""


def columns(nullable: bool = False, **kinds: pa.DataType) -> list[pa.Field]:
    """Fields of these names and types, all nullable or none."""
    return [pa.field(name, kind, nullable=nullable) for name, kind in kinds.items()]


def interval_fields(names: Iterable[str], nullable: Sequence[str] = ()) -> list[pa.Field]:
    """Fields of numbers with their intervals: name, name_low and name_high of each."""
    return [
        pa.field(name + bound, pa.float64(), nullable=name in nullable)
        for name in names
        for bound in BOUNDS
    ]


def interval_columns(numbers: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The values of `interval_fields`, from (value, low, high) by name."""
    return {
        name + bound: part
        for name, interval in numbers.items()
        for bound, part in zip(BOUNDS, interval, strict=True)
    }


def table_of(named: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """A table of columns by name; NaN becomes null."""
    arrays = [pa.array(named[f.name], f.type, from_pandas=True) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def floats(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    """The columns of a table of numbers, with NaN for null."""
    return {
        name: table[name].to_numpy(zero_copy_only=False).astype(np.float64)
        for name in table.column_names
    }


def table_of_rows(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """A table of rows; NaN becomes null."""
    return table_of({name: [row[name] for row in rows] for name in schema.names}, schema)


PLACE = re.compile(r"(model|dataset|layer)=([^/]+?)(?:/|\.parquet$)")
"""What the path of a result says of it."""


class TableError(InputError):
    """A file is not the table that it should be."""


@contextmanager
def completed(*paths: str | Path) -> Iterator[list[Path]]:
    """Temporary names for `paths`, renamed to them only when the body has succeeded.

    A reader therefore never meets half a file under its final name, whatever happens to the
    writer; the temporary files of a body that failed are removed.
    """
    targets = [Path(path) for path in paths]
    temporary = [path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in targets]
    try:
        for path in targets:
            path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        for source, target in zip(temporary, targets, strict=True):
            source.replace(target)
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)


@contextmanager
def table_writers(
    paths: Sequence[str | Path], schema: pa.Schema, provenances: Sequence[Mapping[str, Any]]
) -> Iterator[list[pq.ParquetWriter]]:
    """Writers that append row groups; the files appear under their names when all are complete."""
    with completed(*paths) as temporary, ExitStack() as stack:
        yield [
            stack.enter_context(
                pq.ParquetWriter(path, _stamped(schema, provenance), compression="zstd")
            )
            for path, provenance in zip(temporary, provenances, strict=True)
        ]


def write_table(path: str | Path, columns: pa.Table, provenance: Mapping[str, Any]) -> None:
    """Write one table under its schema and provenance, or nothing.

    Raises
    ------
    TableError
        If a column that may not be null holds a null.
    """
    for field in columns.schema:
        if not field.nullable and columns[field.name].null_count:
            raise TableError(f"{path}: column {field.name} would hold nulls")
    with completed(path) as (temporary,):
        stamped = columns.cast(_stamped(columns.schema, provenance))
        pq.write_table(stamped, temporary, compression="zstd")


def _stamped(schema: pa.Schema, provenance: Mapping[str, Any]) -> pa.Schema:
    return schema.with_metadata({PROVENANCE: json.dumps(provenance, sort_keys=True)})


def remedy(path: str | Path) -> str:
    """What to do with a result that is not what it should be.

    By name: what only other results are made of, Snakemake does not miss while these are there.
    """
    options = os.environ.get(OPTIONS, "--cores all")
    return f"delete it and make it anew: `rm '{path}' && snakemake '{path}' {options}`"


def open_table(path: str | Path, schema: pa.Schema | None = None) -> pq.ParquetFile:
    """Open a table to read it piece by piece, checking that it is whole and of this schema, if any.

    And that it is what its path says: of that model, dataset and layer.

    Raises
    ------
    TableError
        One sentence with the file and the remedy.
    """
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise TableError(f"{path}: no such file; run snakemake to make it") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(f"{path}: not a whole Parquet file ({error}); {remedy(path)}") from error
    found = file.schema_arrow
    if schema is not None and not _is_of(found, schema):
        wrong = [f"{f.name}: {f.type}" for f in schema if f not in list(found)]
        raise TableError(
            f"{path}: not the table expected here "
            f"({', '.join(wrong) or 'more columns than'} wanted, {', '.join(found.names)} found); "
            f"{remedy(path)}"
        )
    if PROVENANCE not in (found.metadata or {}):
        raise TableError(
            f"{path}: carries no provenance, so this workflow did not write it; {remedy(path)}"
        )
    for key, holds, named in _misplaced(path, provenance_of(found)):
        raise TableError(f"{path}: holds {key} {holds}, not {named}; {remedy(path)}")
    return file


def _is_of(found: pa.Schema, schema: pa.Schema) -> bool:
    """Whether a file has all columns of a schema, but for those that came later, and no others."""
    fields = list(found)
    return fields == [field for field in schema if field in fields or not field.metadata]


def _misplaced(path: str | Path, provenance: Provenance) -> Iterator[tuple[str, object, str]]:
    """What a table is of, and what its path says: where the two differ."""
    holds = {
        "model": provenance.get("model", {}).get("model"),
        "dataset": provenance.get("tokens", provenance).get("dataset"),
        "layer": provenance.get("layer"),
    }
    for key, named in PLACE.findall(str(path)):
        if holds[key] is not None and str(holds[key]) != named:
            yield key, holds[key], named


def read_table(
    path: str | Path, schema: pa.Schema | None = None, columns: Sequence[str] | None = None
) -> pa.Table:
    """Read a whole table, or some columns of it, checked as `open_table` does."""
    file = open_table(path, schema)
    try:
        return with_later(file.read(columns=columns), schema, columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(f"{path}: damaged ({error}); {remedy(path)}") from error


def with_later(
    table: pa.Table, schema: pa.Schema | None, columns: Sequence[str] | None = None
) -> pa.Table:
    """What was read of a table, with null in columns that are later than its file."""
    for field in schema or ():
        if field.name not in table.column_names and (columns is None or field.name in columns):
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table


def provenance_of(schema: pa.Schema) -> Provenance:
    """The provenance that a table carries."""
    return Provenance(json.loads((schema.metadata or {})[PROVENANCE]))


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object, or nothing."""
    with completed(path) as (temporary,):
        temporary.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
