"""The ensemble `shuffled`: words without grammar."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...running.command import run
from ...semstat.tokens import shuffled as ensemble
from ..documents import Shard, Texts, Tokens, read_documents, write_documents


def shuffled(
    *, texts: Texts, shard: Shard, tokens_per_document: int | None = None, seed: int = 0, out: Path
) -> None:
    """Put the tokens of each document of a shard in random order: words without grammar.

    Parameters
    ----------
    tokens_per_document : tokens kept of a document, without prefix (default: all).
    seed : seed of the order.
    out : Parquet file to make.
    """
    documents = read_documents(texts, shard.within, tokens_per_document)

    def make(doc: int, tokens_t: Tokens) -> Tokens:
        return ensemble.shuffled(tokens_t, np.random.default_rng([seed, doc]))

    write_documents(texts, documents, make, out, ensemble="shuffled", seed=seed)


if __name__ == "__main__":
    run(shuffled)
