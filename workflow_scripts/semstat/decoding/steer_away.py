"""Greedy decoding that steers the hidden state away from stuttering."""

from __future__ import annotations

import torch

from ..generation.writing import Choice, Texts
from ..models.replay import Reader
from ..steering.functionals import log_odds
from ..steering.steering import steer
from .stuttering import stuttering


class SteerAway:
    """The most probable token, after steering away from stuttering.

    Where the most probable next token stutters, the hidden state at the reader's layer is changed
    as little as it takes to bring the log-odds of all that stutters, against the best token that
    does not, down to −margin: a backward pass through the blocks above, and a line search. The
    changed state stays in the cache, so all that follows sees it.

    Parameters
    ----------
    ngram : tokens of a repetition that counts.
    margin : log-odds by which the best other token is to win, nats.
    budget : largest change as a share of the hidden state's norm.
    """

    def __init__(self, ngram: int, margin: float, budget: float) -> None:
        self.ngram, self.margin, self.budget = ngram, margin, budget

    def __call__(self, reader: Reader, texts: Texts) -> Choice:
        moment = texts.moment
        logits_xv = reader.logits(moment.top_xn)
        stutters_xv = stuttering(texts.ids_xt, logits_xv.shape[1], self.ngram)
        top_x1 = logits_xv.argmax(dim=-1, keepdim=True)
        steered_x = stutters_xv.gather(1, top_x1)[:, 0]
        if steered_x.any():
            rival_x = logits_xv.masked_fill(stutters_xv, -torch.inf).argmax(dim=-1)
            odds = log_odds(stutters_xv, rival_x)
            now_x1 = odds(logits_xv)
            change_x1 = torch.where(steered_x[:, None], -self.margin - now_x1, 0.0)
            function = reader.function(moment, odds)
            found = steer(function, moment.state_xn, change_x1, self.budget, tolerance=0.05)
            moment = reader.with_state(moment, moment.state_xn + found.shift_xn)
            logits_xv = reader.logits(moment.top_xn)
        return Choice(logits_xv.argmax(dim=-1), logits_xv, moment, steered_x=steered_x)
