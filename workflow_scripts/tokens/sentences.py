"""Where sentences end, as tokens have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

SENTENCE_ENDS = (".", "!", "?")
CLOSERS = " \n\"'”’)]"
"""What may stand between the end of a sentence and the end of its last token."""


def end_sentences(tokens_t: NDArray[np.int32], tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """(tokens,) whether a token's text ends with . ! or ?, quotes and brackets aside."""
    texts = tokenizer.decode_batch([[token] for token in tokens_t])
    return np.array([text.rstrip(CLOSERS).endswith(SENTENCE_ENDS) for text in texts])
