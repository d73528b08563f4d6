"""The ensemble `uniform`: no language at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ...running.command import run
from ...semstat.tokens import uniform as ensemble
from ..documents import Shard, Texts, Tokens, read_documents, vocabulary_of, write_documents
from ..tokenizers import special_tokens


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
    ordinary_v = _ordinary_tokens(documents.tokenizer, vocabulary_of(texts.model))

    def make(doc: int, tokens_t: Tokens) -> Tokens:
        return ensemble.uniform(tokens_t, ordinary_v, np.random.default_rng([seed, doc]))

    write_documents(texts, documents, make, out, ensemble="uniform", seed=seed)


def _ordinary_tokens(tokenizer: Tokenizer, vocabulary: int) -> NDArray[np.bool_]:
    """(ids,) whether each id is a token of language: the tokenizer's and the model's, not special.

    Models have ids without tokens, which make their embeddings a rounder size; tokenizers have
    tokens that were added without a row in the embedding.
    """
    ids = np.array(list(tokenizer.get_vocab().values()))
    ordinary_v = np.zeros(ids.max() + 1, dtype=np.bool_)
    ordinary_v[ids] = True
    ordinary_v[list(special_tokens(tokenizer).values())] = False
    return ordinary_v[:vocabulary]


if __name__ == "__main__":
    run(uniform)
