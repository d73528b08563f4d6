"""The command that tokenizes what a tuned lens is trained on."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.errors import InputError
from ..tokens.documents import Texts, read_documents, write_documents


def tokenize_for_lens(
    *,
    texts: Texts,
    train_documents: int,
    beyond: int,
    tokens_per_document: int | None = None,
    out: Path,
) -> None:
    """Turn the last documents of a corpus into tokens to train a tuned lens on.

    Parameters
    ----------
    train_documents : how many of them.
    beyond : documents, from the first on, that are measured, so that none of them may be taken.
    tokens_per_document : tokens kept of a document, without prefix (default: all).
    out : Parquet file to make.
    """

    def last_ones(texts: Texts, held: int) -> range:
        if held - train_documents < beyond:
            raise InputError(
                f"{texts.key}: {texts.corpus} holds {held} documents, and the first {beyond} of "
                f"them are measured, so {train_documents} are too many to train a lens on; lower "
                f"its `train_documents`"
            )
        return range(held - train_documents, held)

    documents = read_documents(texts, last_ones, tokens_per_document)
    write_documents(texts, documents, lambda _doc, tokens_t: tokens_t, out)


if __name__ == "__main__":
    run(tokenize_for_lens)
