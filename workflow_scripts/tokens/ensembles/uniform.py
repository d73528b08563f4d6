"""The ensemble `uniform`: no language at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...running.command import run
from ...semstat.tokens import uniform as ensemble
from ..documents import Shard, Texts, Tokens, read_documents, vocabulary_of, write_documents
from ..vocabulary import ordinary_tokens


def uniform(
    *, texts: Texts, shard: Shard, tokens_per_document: int | None = None, seed: int = 0, out: Path
) -> None:
    """Draw as many tokens as each document of a shard has, uniformly from all ordinary ones.

    Parameters
    ----------
    tokens_per_document : tokens kept of a document, without prefix (default: all).
    seed : seed of the tokens.
    out : Parquet file to make.
    """
    documents = read_documents(texts, shard.within, tokens_per_document)
    ordinary_v = ordinary_tokens(documents.tokenizer, vocabulary_of(texts.model))

    def make(doc: int, tokens_t: Tokens) -> Tokens:
        return ensemble.uniform(tokens_t, ordinary_v, np.random.default_rng([seed, doc]))

    write_documents(texts, documents, make, out, ensemble="uniform", seed=seed)


if __name__ == "__main__":
    run(uniform)
