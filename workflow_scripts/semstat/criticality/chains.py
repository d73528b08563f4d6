"""Texts without a model: tokens drawn from frequencies, and a chain of bigrams.

They have no interactions, or none beyond the last token: what a sweep of the sampling temperature
finds in them as well is no collective behaviour of a language model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache

from ..models.replay import Moment


class Chain(ABC):
    """A law of the next token that sees the last one at most; written with as a model is.

    Its vocabulary is the tokens that the documents counted have: tokens are told by their place in
    `token_v`.

    Parameters
    ----------
    documents : token ids of each, without a prefix token.

    Attributes
    ----------
    token_v : (vocabulary,) ids of the tokens that there are, ascending.
    """

    def __init__(self, documents: Sequence[NDArray[np.integer]]) -> None:
        whole_s = np.concatenate(documents)
        self.token_v, place_s, count_v = np.unique(whole_s, return_inverse=True, return_counts=True)
        self.count_v = count_v.astype(np.float64)
        ends_d = np.cumsum([len(token_t) for token_t in documents])
        within_s = np.ones(len(whole_s), dtype=np.bool_)
        within_s[ends_d[ends_d > 0] - 1] = False
        self.pair_s = np.stack([place_s[:-1], place_s[1:]])[:, within_s[:-1]]

    def places(self, token: NDArray[np.integer]) -> NDArray[np.int64]:
        """Places of tokens in the vocabulary, which must have them."""
        place = np.searchsorted(self.token_v, token).clip(max=len(self.token_v) - 1)
        if not np.array_equal(self.token_v[place], token):
            raise ValueError("a token that the documents counted do not have")
        return place

    @abstractmethod
    def logits(self, place_x1: Tensor) -> Tensor:
        """(texts, vocabulary) logits, float32, of the tokens that may follow."""

    def start(self, place_xt: Tensor) -> tuple[Moment, list[Tensor]]:
        """Read prompts, (texts, tokens): there is nothing to remember but the last token."""
        nothing = DynamicCache()
        last_x1 = place_xt[:, -1:]
        return Moment(nothing, nothing, [], last_x1, last_x1), []

    def read_in_place(self, place_x1: Tensor, _caches: Sequence[Any]) -> Tensor:
        """Read one more token of each text."""
        return place_x1


class Frequencies(Chain):
    """Tokens independent of each other, as frequent as in the documents: z = ln f."""

    def __init__(self, documents: Sequence[NDArray[np.integer]]) -> None:
        super().__init__(documents)
        frequency_v = self.count_v / self.count_v.sum()
        self.log_frequency_v = torch.from_numpy(np.log(frequency_v)).float()

    def logits(self, place_x1: Tensor) -> Tensor:
        # The engine writes into logits: each text has its own.
        return self.log_frequency_v.repeat(len(place_x1), 1)


class Bigrams(Frequencies):
    """Tokens that follow the last one as often as in the documents: z = ln p(v | u).

    Interpolated as by Witten and Bell (1991): p(v | u) = (c(u, v) + κ_u f(v)) / (c(u) + κ_u), where
    κ_u is the number of different tokens that followed u, and f the frequencies; f alone where
    nothing did.
    """

    def __init__(self, documents: Sequence[NDArray[np.integer]]) -> None:
        super().__init__(documents)
        size = len(self.token_v)
        pair_p, count_p = np.unique(self.pair_s[0] * size + self.pair_s[1], return_counts=True)
        first_p, self.follower_p = pair_p // size, torch.from_numpy(pair_p % size)
        kinds_v = np.bincount(first_p, minlength=size).astype(np.float64)
        total_v = np.bincount(first_p, weights=count_p, minlength=size)
        self.begin_v = np.concatenate([[0], np.cumsum(kinds_v)]).astype(np.int64).tolist()
        frequency_p = self.count_v[pair_p % size] / self.count_v.sum()
        some_p = (count_p + kinds_v[first_p] * frequency_p) / (total_v + kinds_v)[first_p]
        self.log_p_p = torch.from_numpy(np.log(some_p)).float()
        with np.errstate(divide="ignore", invalid="ignore"):
            share_v = np.where(kinds_v > 0, kinds_v / (total_v + kinds_v), 1.0)
        self.log_share_v = torch.from_numpy(np.log(share_v)).float()

    def logits(self, place_x1: Tensor) -> Tensor:
        logits_xv = super().logits(place_x1) + self.log_share_v[place_x1]
        for logits_v, place in zip(logits_xv, place_x1[:, 0].tolist(), strict=True):
            followers = slice(self.begin_v[place], self.begin_v[place + 1])
            logits_v[self.follower_p[followers]] = self.log_p_p[followers]
        return logits_xv


CHAINS: dict[str, type[Frequencies]] = {"frequencies": Frequencies, "bigrams": Bigrams}
