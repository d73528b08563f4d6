"""The command that tokenizes text."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from .documents import Shard, Texts, read_documents, write_documents


def tokenize_corpus(
    *, texts: Texts, shard: Shard, tokens_per_document: int | None = None, out: Path
) -> None:
    """Turn one shard of a corpus into a model's tokens.

    Parameters
    ----------
    tokens_per_document : tokens kept of a document, without prefix (default: all).
    out : Parquet file to make.
    """
    documents = read_documents(texts, shard.within, tokens_per_document)
    write_documents(texts, documents, lambda _doc, tokens_t: tokens_t, out)


if __name__ == "__main__":
    run(tokenize_corpus)
