"""Files of documents, read a document at a time, whatever their format."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ..semstat.errors import InputError, first_line
from ..semstat.sources.endings import SAID, ending_of

Document = str | list[dict[str, Any]]
"""A text, or the messages of a conversation."""

BYTE_ORDER_MARK = "\ufeff"
"""What some programs put before a text; no part of it."""

POINTERS = ("version https://git-lfs.", "/annex/objects/")
"""How the small file begins that Git LFS or git-annex has in place of one not yet fetched."""


def read_documents(key: str, column: str, name: str, file: BinaryIO) -> Iterator[Document]:
    """Documents of one file, by its ending: a .txt is one; .jsonl and .parquet have one a row.

    Parameters
    ----------
    key : of the dataset in the configuration, to name in an error.
    column : that holds the text, or the messages.
    name : of the file.

    Raises
    ------
    InputError
        If the file is of another kind, damaged, or a row is not as it should be.
    """
    ending = ending_of(name)
    if ending is None:
        raise InputError(f"{key}.files: {name}: documents are read from {SAID}")
    try:
        if ending.codec:
            file = io.BufferedReader(pa.CompressedInputStream(file, ending.codec))
        match ending.kind:
            case ".txt":
                yield _text(file.read())
            case ".jsonl":
                yield from _json_lines(key, column, name, file)
            case ".parquet":
                yield from _parquet_rows(key, column, name, file)
    except InputError:
        raise
    except (ValueError, pa.ArrowException, OSError) as error:
        raise _unreadable(key, name, error) from error


def _unreadable(key: str, where: str, error: Exception) -> InputError:
    return InputError(
        f"{key}.files: {where} cannot be read ({first_line(error)}); mend or remove it"
    )


def _text(content: bytes) -> str:
    """What a text file says: the mark before it and how its lines end are the file's.

    Raises
    ------
    ValueError
        If it is not UTF-8; other encodings of plain letters pass for it, but for their zeros. Or
        if it is only a pointer to the text.
    """
    text = content.decode("utf-8-sig")
    if text.startswith(POINTERS):
        raise ValueError("a pointer in place of the text: `git lfs pull` or `git annex get` it")
    if "\0" in text:
        raise ValueError("it holds zero bytes, which UTF-8 text does not; save it as UTF-8")
    return text.replace("\r\n", "\n")


def _json_lines(key: str, column: str, name: str, file: BinaryIO) -> Iterator[Document]:
    for number, line in enumerate(file, start=1):
        where = f"{name}, line {number}"
        try:
            said = line.decode("utf-8-sig" if number == 1 else "utf-8")
            if not said.strip():
                continue
            row = _json(said)
        except (ValueError, RecursionError) as error:
            raise _unreadable(key, where, error) from error
        yield document_in(key, column, row, where)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of a key that is there twice, one value would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"it has the key {next(k for k in keys if keys.count(k) > 1)!r} twice")
    return found


_json = json.JSONDecoder(object_pairs_hook=_unique).decode


def _parquet_rows(key: str, column: str, name: str, file: BinaryIO) -> Iterator[Document]:
    table = pq.ParquetFile(file)
    names = table.schema_arrow.names
    if column not in names:
        document_in(key, column, dict.fromkeys(names), name)
    if names.count(column) > 1:
        raise InputError(
            f"{key}.text_column: {name} has {names.count(column)} columns {column!r}; rename them"
        )
    number = 0
    for batch in table.iter_batches(columns=[column]):
        for found in _values(batch.column(0)):
            number += 1
            yield document_in(key, column, {column: found}, f"{name}, row {number}")


def _values(column: pa.Array) -> list[Any]:
    """Those of a column; of JSON, as `datasets` writes messages whose keys differ, what it says."""
    found: list[Any] = column.to_pylist()
    if isinstance(column.type, pa.JsonType):
        return [value and _json(value) for value in found]
    if pa.types.is_list(column.type) and isinstance(column.type.value_type, pa.JsonType):
        return [value and [part and _json(part) for part in value] for value in found]
    return found


def document_in(key: str, column: str, row: Any, where: str) -> Document:
    """The document of one row.

    Raises
    ------
    InputError
        If it has no such column, or that holds neither text nor messages.
    """
    if not isinstance(row, dict) or column not in row:
        found = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise InputError(f"{key}.text_column: {where} has no column {column!r}; it has {found}")
    found = row[column]
    match found:
        case str():
            document: Document = found.removeprefix(BYTE_ORDER_MARK)
        case [dict(), *_]:
            document = _messages(key, column, found, where)
        case _:
            kind = "null" if found is None else type(found).__name__
            raise InputError(
                f"{key}.text_column: {where}: {column!r} holds {kind}, neither text nor messages; "
                f"leave such rows out or name another column"
            )
    try:
        stored(document).encode()
    except UnicodeError as error:
        # JSON can escape half a surrogate pair, which no file can hold.
        raise _unreadable(key, where, error) from error
    return document


def _messages(key: str, column: str, found: list[Any], where: str) -> Document:
    """The messages of a conversation, without keys that hold nothing: Parquet has all in each."""
    for number, message in enumerate(found, start=1):
        told = isinstance(message, dict) and (message.get("role"), message.get("content"))
        if not told or not all(isinstance(part, str) for part in told):
            raise InputError(
                f"{key}.text_column: {where}: message {number} of {column!r} has no `role` and "
                f"`content` that are text; write its conversations so, or name another column"
            )
    return [
        {key: value for key, value in message.items() if value is not None} for message in found
    ]


def stored(document: Document) -> str:
    """A document as a corpus holds it."""
    if isinstance(document, str):
        return document
    return json.dumps(document, ensure_ascii=False, default=str)


def said_in(document: Document) -> str:
    """All that a document says."""
    if isinstance(document, str):
        return document
    return "\n".join(message["content"] for message in document)
