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
        logits_bv = reader.logits(moment.top_bn)
        p_bk, token_bk = torch.softmax(logits_bv, dim=-1).topk(self.candidates, dim=-1)
        read = reader.read(token_bk.reshape(-1, 1), repeat(moment.after, self.candidates))
        own_bkn = reader.output(read.top_bn).reshape(*token_bk.shape, -1)
        past_btn = reader.output(texts.top_btn())
        cosine_bkt = (
            torch.nn.functional.normalize(own_bkn, dim=-1)
            @ torch.nn.functional.normalize(past_btn, dim=-1).mT
        )
        score_bk = (1 - self.alpha) * p_bk - self.alpha * cosine_bkt.amax(dim=-1)
        best_b = score_bk.argmax(dim=-1)
        text_b = torch.arange(len(best_b), device=best_b.device)
        following = select(read, text_b * self.candidates + best_b)
        return Choice(token_bk[text_b, best_b], logits_bv, moment, following)
