"""Which ids are tokens of language: what the ensembles that draw at random draw from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .tokenizers import special_tokens


def ordinary_tokens(tokenizer: Tokenizer, vocabulary: int) -> NDArray[np.bool_]:
    """(ids,) whether each id is a token of language: the tokenizer's and the model's, not special.

    Models have ids without tokens, which make their embeddings a rounder size; tokenizers have
    tokens that were added without a row in the embedding.
    """
    ids = np.array(list(tokenizer.get_vocab().values()))
    ordinary_v = np.zeros(ids.max() + 1, dtype=np.bool_)
    ordinary_v[ids] = True
    ordinary_v[list(special_tokens(tokenizer).values())] = False
    return ordinary_v[:vocabulary]
