"""Contrastive search: a probable token that is unlike those before it."""

from __future__ import annotations

import torch

from ..generation.writing import Choice, Texts
from ..models.replay import Reader, repeat, select


class Contrastive:
    """The token, of the k most probable, with the highest (1 − α)·p − α·(largest cosine).

    The cosine is that of its hidden state, as the unembedding is given it, with those of all tokens
    before it; the reader's layer is the top one. Su et al., "A contrastive framework for neural
    text generation", arXiv 2202.06417.
    """

    def __init__(self, alpha: float, candidates: int) -> None:
        self.alpha, self.candidates = alpha, candidates

    def __call__(self, reader: Reader, texts: Texts) -> Choice:
        moment = texts.moment
        logits_xv = reader.logits(moment.top_xn)
        p_xc, token_xc = torch.softmax(logits_xv, dim=-1).topk(self.candidates, dim=-1)
        read = reader.read(token_xc.reshape(-1, 1), repeat(moment, self.candidates))
        own_xcn = reader.output(read.top_xn).reshape(*token_xc.shape, -1)
        past_xtn = reader.output(texts.top_xtn())
        cosine_xct = (
            torch.nn.functional.normalize(own_xcn, dim=-1)
            @ torch.nn.functional.normalize(past_xtn, dim=-1).mT
        )
        score_xc = (1 - self.alpha) * p_xc - self.alpha * cosine_xct.amax(dim=-1)
        best_x = score_xc.argmax(dim=-1)
        text_x = torch.arange(len(best_x), device=best_x.device)
        following = select(read, text_x * self.candidates + best_x)
        return Choice(token_xc[text_x, best_x], logits_xv, moment, following)
