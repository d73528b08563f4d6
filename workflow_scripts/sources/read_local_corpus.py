"""The command that takes a corpus from local files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..running.command import run
from ..semstat.errors import blamed_on
from .corpora import Selection, write_corpus
from .document_files import Document, read_documents


def read_local_corpus(
    local: list[Path],
    /,
    *,
    name: str,
    files: str,
    selection: Selection = Selection(),
    out: Path,
) -> None:
    """Make a corpus of local files: .txt (a document each), .jsonl and .parquet (one a row).

    Parameters
    ----------
    local : the files.
    name : name of the dataset in the configuration.
    files : glob by which the configuration names them.
    out : Parquet file to make.
    """
    documents = read_files(f"datasets.{name}", selection.text_column, local)
    write_corpus(name, {"source": "path", "files": files}, documents, selection, out)


def read_files(key: str, column: str, files: list[Path]) -> Iterator[Document]:
    """Documents of local files, in the order given."""
    for path in files:
        with blamed_on(f"{key}.files", "mend or remove it", OSError), path.open("rb") as file:
            yield from read_documents(key, column, str(path), file)


if __name__ == "__main__":
    run(read_local_corpus)
