"""What it is to stutter, for the methods of decoding that prevent it.

A model stutters, here, where its most probable next token closes an n-gram that the text already
has, or would be the third of its kind in a row. A trained model that loops repeats phrases far more
often than tokens, and rep-n counts those; the token twice in a row that the energy H measures is
most often right ("\\n\\n", "100").
"""

from __future__ import annotations

import torch
from torch import Tensor


def stuttering(ids_xt: Tensor, vocabulary: int, ngram: int) -> Tensor:
    """(texts, vocabulary) bool: what would close a repeated n-gram, or be third in a row.

    Parameters
    ----------
    ids_xt : (texts, tokens) the texts so far.
    ngram : at least 2.
    """
    stutters_xv = torch.zeros(len(ids_xt), vocabulary, dtype=torch.bool, device=ids_xt.device)
    if ids_xt.shape[1] >= 2:
        stutters_xv.scatter_(1, ids_xt[:, -1:], ids_xt[:, -1:] == ids_xt[:, -2:-1])
    if ids_xt.shape[1] >= ngram:
        grams = ids_xt.unfold(1, ngram, 1)
        begun_xt = (grams[..., :-1] == ids_xt[:, None, 1 - ngram :]).all(dim=-1)
        text, place = begun_xt.nonzero(as_tuple=True)
        stutters_xv[text, grams[text, place, -1]] = True
    return stutters_xv
