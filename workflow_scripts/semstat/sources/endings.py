"""Which files hold documents, by their endings."""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

KINDS = (".txt", ".jsonl", ".parquet")
"""Files of documents: a .txt is one, the others have one a row."""

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""What may follow .txt and .jsonl, and the codec's name; a .parquet is compressed within."""

SAID = ".txt and .jsonl (also .gz or .zst of these) and .parquet"


class Ending(NamedTuple):
    """How a file is to be read.

    kind : one of `KINDS`.
    codec : it is compressed with, if it is.
    """

    kind: str
    codec: str | None


def ending_of(name: str) -> Ending | None:
    """That of a file, in letters large or small; None if no documents are read from such files.

    >>> ending_of("a/b.TXT"), ending_of("c.jsonl.zst").codec, ending_of("d.parquet.gz")
    (Ending(kind='.txt', codec=None), 'zstd', None)
    """
    path = PurePath(name.lower())
    codec = COMPRESSIONS.get(path.suffix)
    kind = path.with_suffix("").suffix if codec else path.suffix
    known = kind in KINDS and not (codec and kind == ".parquet")
    return Ending(kind, codec) if known else None
