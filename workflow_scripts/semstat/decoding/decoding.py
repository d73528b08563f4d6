"""Methods of choosing the next token that differ in how they keep a text from repeating itself.

A model stutters, here, where its most probable next token closes an n-gram that the text already
has, or would be the third of its kind in a row. A trained model that loops repeats phrases far more
often than tokens, and rep-n counts those; the token twice in a row that the energy H measures is
most often right ("\\n\\n", "100").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..generation.writing import Choice, Texts, begin, next_tokens, write
from ..models.decoder import LayeredModel
from ..models.replay import Reader, repeat, select
from ..steering.functionals import log_odds
from ..steering.steering import steer

Process = Callable[[Tensor, Tensor], Tensor]
"""(texts, tokens) ids and (texts, vocabulary) logits → logits, as a transformers processor is."""


class Processed:
    """The most probable token after a processor has had its way with the logits."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def __call__(self, reader: Reader, texts: Texts) -> Choice:
        logits_bv = reader.logits(texts.moment.top_bn)
        token_b = self.process(texts.ids_bt, logits_bv).argmax(dim=-1)
        return Choice(token_b, logits_bv, texts.moment)


def greedy() -> Processed:
    """The most probable token."""
    return Processed(lambda _ids_bt, logits_bv: logits_bv)


def repetition_penalty(penalty: float) -> Processed:
    """Logits of tokens in the text are divided by the penalty, or multiplied where negative.

    Keskar et al., "CTRL", arXiv 1909.05858, section 4.1.
    """

    def process(ids_bt: Tensor, logits_bv: Tensor) -> Tensor:
        seen_bt = logits_bv.gather(1, ids_bt)
        lowered_bt = torch.where(seen_bt < 0, seen_bt * penalty, seen_bt / penalty)
        return logits_bv.scatter(1, ids_bt, lowered_bt)

    return Processed(process)


def stutter_block(ngram: int) -> Processed:
    """The most probable token that does not stutter: what steering would do without steering."""

    def process(ids_bt: Tensor, logits_bv: Tensor) -> Tensor:
        return logits_bv.masked_fill(stuttering(ids_bt, logits_bv.shape[1], ngram), -torch.inf)

    return Processed(process)


class Nucleus:
    """Draws among the fewest tokens whose probabilities sum to at least `mass`.

    Holtzman et al., "The curious case of neural text degeneration", arXiv 1904.09751.

    uniform_bs : (texts, steps) float64, in [0, 1), on the model's device.
    """

    def __init__(self, mass: float, uniform_bs: Tensor) -> None:
        self.mass = mass
        self.uniform = iter(uniform_bs.T)

    def __call__(self, reader: Reader, texts: Texts) -> Choice:
        logits_bv = reader.logits(texts.moment.top_bn)
        kept_bv = nucleus(logits_bv, self.mass)
        among_bv = logits_bv.masked_fill(~kept_bv, torch.finfo(logits_bv.dtype).min)
        return Choice(next_tokens(among_bv, 1.0, next(self.uniform)), logits_bv, texts.moment)


def nucleus(logits_bv: Tensor, mass: float) -> Tensor:
    """(texts, vocabulary) bool: the fewest most probable tokens that hold the mass."""
    ranked_bv, token_bv = logits_bv.sort(dim=-1, descending=True)
    p_bv = torch.softmax(ranked_bv.double(), dim=-1)
    before_bv = p_bv.cumsum(dim=-1) - p_bv
    return torch.zeros_like(token_bv, dtype=torch.bool).scatter(1, token_bv, before_bv < mass)


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
        logits_bv = reader.logits(moment.top_bn)
        stutters_bv = stuttering(texts.ids_bt, logits_bv.shape[1], self.ngram)
        top_b1 = logits_bv.argmax(dim=-1, keepdim=True)
        steered_b = stutters_bv.gather(1, top_b1)[:, 0]
        if steered_b.any():
            rival_b = logits_bv.masked_fill(stutters_bv, -torch.inf).argmax(dim=-1)
            odds = log_odds(stutters_bv, rival_b)
            now_b1 = odds(logits_bv)
            change_b1 = torch.where(steered_b[:, None], -self.margin - now_b1, 0.0)
            function = reader.function(moment, odds)
            found = steer(function, moment.state_bn, change_b1, self.budget, tolerance=0.05)
            moment = reader.with_state(moment, moment.state_bn + found.shift_bn)
            logits_bv = reader.logits(moment.top_bn)
        return Choice(logits_bv.argmax(dim=-1), logits_bv, moment, steered_b=steered_b)


def stuttering(ids_bt: Tensor, vocabulary: int, ngram: int) -> Tensor:
    """(texts, vocabulary) bool: what would close a repeated n-gram, or be third in a row.

    Parameters
    ----------
    ids_bt : (texts, tokens) the texts so far.
    ngram : at least 2.
    """
    stutters_bv = torch.zeros(len(ids_bt), vocabulary, dtype=torch.bool, device=ids_bt.device)
    if ids_bt.shape[1] >= 2:
        stutters_bv.scatter_(1, ids_bt[:, -1:], ids_bt[:, -1:] == ids_bt[:, -2:-1])
    if ids_bt.shape[1] >= ngram:
        window_btg = ids_bt.unfold(1, ngram, 1)
        begun_bt = (window_btg[..., :-1] == ids_bt[:, None, 1 - ngram :]).all(dim=-1)
        text, place = begun_bt.nonzero(as_tuple=True)
        stutters_bv[text, window_btg[text, place, -1]] = True
    return stutters_bv


class SteeredGenerate:
    """A decoding loop for transformers: `model.generate(ids, custom_generate=SteeredGenerate(…))`.

    It takes the stopping criteria and the logits processors of `generate`, which act after
    steering; the prompts of a batch have one length. It neither samples nor searches beams.

    Parameters
    ----------
    layered : the model, whose weights should not require gradients.
    layer : the layer to steer at.
    ngram, margin, budget : as `SteerAway` takes them.
    """

    def __init__(
        self,
        layered: LayeredModel,
        layer: int,
        ngram: int = 4,
        margin: float = 1.0,
        budget: float = 1.0,
    ) -> None:
        self.reader = Reader(layered, layer)
        self.method = SteerAway(ngram, margin, budget)

    def __call__(
        self,
        model: Any,
        input_ids: Tensor,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **model_kwargs: Any,
    ) -> Tensor:
        """Continue the prompts, as `GenerationMixin.generate` calls a decoding loop."""
        if model is not self.reader.layered.model:
            raise ValueError("this decoding loop was made for another model; make one for this one")
        if generation_config.do_sample or generation_config.num_beams > 1:
            raise ValueError("steering is greedy; set do_sample to False and num_beams to 1")
        attention_mask = model_kwargs.get("attention_mask")
        if attention_mask is not None and not attention_mask.all():
            raise ValueError("prompts of one length are wanted; give those of another one apart")
        unfinished_b = torch.ones_like(input_ids[:, 0], dtype=torch.bool)
        pad = generation_config._pad_token_tensor

        def method(reader: Reader, texts: Texts) -> Choice:
            choice = self.method(reader, texts)
            processed_bv = logits_processor(texts.ids_bt, choice.logits_bv)
            return choice._replace(token_b=processed_bv.argmax(dim=-1))

        for choice in write(self.reader, begin(self.reader, input_ids), method):
            token_b = choice.token_b
            if pad is not None:
                token_b = torch.where(unfinished_b, token_b, pad)
            input_ids = torch.cat([input_ids, token_b[:, None]], dim=1)
            unfinished_b = unfinished_b & ~stopping_criteria(input_ids, None)
            if not unfinished_b.any():
                break
        return input_ids
