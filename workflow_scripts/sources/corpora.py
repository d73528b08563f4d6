"""Corpora: one Parquet file of documents, whatever the source."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cyclopts import Parameter

from ..running.command import progress
from ..semstat.errors import InputError
from ..semstat.provenance import Provenance
from ..semstat.sources.tables import CORPUS
from ..semstat.tables import write_table


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which documents are taken, and in which order.

    Parameters
    ----------
    text_column : column or key that holds the text, in Parquet, JSON Lines and hub data.
    min_characters : documents shorter than this are left out.
    shuffle_seed : seed of the order of the documents (default: the source's order).
    """

    text_column: str = "text"
    min_characters: int = 1
    shuffle_seed: int | None = None


def write_corpus(
    name: str,
    source: dict[str, Any],
    texts: Iterable[str],
    selection: Selection,
    out: Path,
    most: int | None = None,
    shuffled: bool = False,
) -> None:
    """Filter, order and save the documents of one corpus.

    Parameters
    ----------
    name : of the dataset in the configuration.
    source : keys of its entry that say where it comes from.
    texts : the documents, as they come from there.
    selection : which of them are taken, and in which order.
    out : Parquet file to make.
    most : documents to take; by default all.
    shuffled : whether they come in the order of the seed already.

    Raises
    ------
    InputError
        If there is no document.
    """
    long_enough = (text for text in texts if len(text) >= selection.min_characters)
    taken: list[str] = []
    with progress(name, "documents", total=most) as bar:
        for text in itertools.islice(long_enough, most):
            taken.append(text)
            bar.update()
    if not taken:
        raise InputError(
            f"datasets.{name}: the corpus is empty: no document of at least "
            f"{selection.min_characters} characters; check its source, `text_column` and "
            f"`min_characters`"
        )
    if selection.shuffle_seed is not None and not shuffled:
        order = np.random.default_rng(selection.shuffle_seed).permutation(len(taken))
        taken = [taken[index] for index in order]
    table = pa.Table.from_pydict({"doc": range(len(taken)), "text": taken}, schema=CORPUS)
    chosen = {key: value for key, value in vars(selection).items() if value is not None}
    provenance = Provenance(dataset=name, source=source | chosen)
    write_table(out, table, provenance.then("fetched by", "pyarrow", "datasets"))


def read_documents(key: str, column: str, name: str, file: BinaryIO) -> Iterator[str]:
    """Documents of one file, by its ending: a .txt is one; .jsonl and .parquet have one a row.

    Parameters
    ----------
    key : of the dataset in the configuration, to name in an error.
    column : that holds the text.
    name : of the file.
    """
    try:
        match Path(name).suffix:
            case ".txt":
                yield file.read().decode("utf-8")
            case ".jsonl":
                for line in file:
                    text = text_in(key, column, json.loads(line), name)
                    text.encode()  # JSON can escape half a surrogate pair, which no file can hold
                    yield text
            case ".parquet":
                table = pq.ParquetFile(file)
                if column not in table.schema_arrow.names:
                    text_in(key, column, dict.fromkeys(table.schema_arrow.names), name)
                for batch in table.iter_batches(columns=[column]):
                    for text in batch.column(0).to_pylist():
                        yield text_in(key, column, {column: text}, name)
            case suffix:
                raise InputError(
                    f"{key}.files: {name} ends in {suffix!r}; "
                    f"documents are read from .txt, .jsonl and .parquet"
                )
    except (UnicodeError, json.JSONDecodeError, pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{key}.files: {name} cannot be read ({error}); mend or remove it"
        ) from error


def text_in(key: str, column: str, row: Any, name: str) -> str:
    """The text of one row.

    Raises
    ------
    InputError
        If it has no such column, or that holds no text.
    """
    if not isinstance(row, dict) or column not in row:
        found = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise InputError(f"{key}.text_column: {name} has no column {column!r}; it has {found}")
    text = row[column]
    if not isinstance(text, str):
        raise InputError(
            f"{key}.text_column: {name}: {column!r} holds {type(text).__name__}, not text"
        )
    return text
