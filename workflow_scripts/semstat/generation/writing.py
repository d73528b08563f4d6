"""A model's own text, token by token, by any method of choosing the next one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ..models.replay import Moment, Reader


class Choice(NamedTuple):
    """The next token of each text, and what it was chosen from.

    token_x : (texts,) token ids.
    logits_xv : (texts, vocabulary) the model's logits, before the method did anything to them.
    moment : the last token before it, as the model read it or as a method made it read it.
    following : the moment of the chosen token where the method has already read it.
    steered_x : (texts,) bool, where the method changed the hidden state; None for nowhere.
    """

    token_x: Tensor
    logits_xv: Tensor
    moment: Moment
    following: Moment | None = None
    steered_x: Tensor | None = None


class Texts(NamedTuple):
    """Texts of one length, as far as they are written.

    ids_xt : (texts, tokens) token ids.
    moment : of their last tokens.
    past : the last block's output at all tokens before, in pieces (texts, tokens, hidden).
    """

    ids_xt: Tensor
    moment: Moment
    past: list[Tensor]

    def top_xtn(self) -> Tensor:
        """(texts, tokens, hidden) the last block's output at every token."""
        return torch.cat([*self.past, self.moment.top_xn[:, None]], dim=1)


class Method(Protocol):
    """A way of choosing the next token of each text."""

    def __call__(self, reader: Reader, texts: Texts) -> Choice: ...


class Continuation(NamedTuple):
    """What was written after prompts of P tokens, in S steps.

    token_xt : (texts, S) token ids.
    surprisal_xt : (texts, S) −ln p of each, under the distribution that it was chosen from, nats.
    top_xtn : (texts, P + S − 1, hidden) the last block's output at all tokens but the last one.
    steered_xt : (texts, S) bool, where the hidden state was changed before the choice.
    """

    token_xt: Tensor
    surprisal_xt: Tensor
    top_xtn: Tensor
    steered_xt: Tensor


def begin(reader: Reader, prompt_xt: Tensor) -> Texts:
    """Read prompts of one length, (texts, tokens), at least one token each."""
    return Texts(prompt_xt, *reader.start(prompt_xt))


def write(reader: Reader, texts: Texts, method: Method) -> Iterator[Choice]:
    """Continue texts, a choice a step, for as long as the caller asks.

    Nothing stops a text: a token that ends one is a token like any other.
    """
    while True:
        choice = method(reader, texts)
        yield choice
        token_x1 = choice.token_x[:, None]
        moment = choice.following or reader.read(token_x1, choice.moment.after)
        past = [*texts.past, choice.moment.top_xn[:, None]]
        texts = Texts(torch.cat([texts.ids_xt, token_x1], dim=1), moment, past)


def continue_texts(
    reader: Reader,
    prompt_xt: Tensor,
    steps: int,
    method: Method,
    advance: Callable[[int], object] = lambda _tokens: None,
) -> Continuation:
    """Continue prompts of one length by so many tokens.

    What a text becomes depends on the batch only through the rounding of the logits.

    Parameters
    ----------
    prompt_xt : (texts, tokens) token ids, at least one each, on the model's device.
    advance : called with the number of tokens that each step has written.
    """
    token, surprisal, steered, tops = [], [], [], []
    with torch.no_grad():
        prompts = begin(reader, prompt_xt)
        for choice in itertools.islice(write(reader, prompts, method), steps):
            log_p_xv = torch.log_softmax(choice.logits_xv, dim=-1)
            token.append(choice.token_x)
            surprisal.append(-log_p_xv.gather(1, choice.token_x[:, None])[:, 0])
            never_x = torch.zeros_like(choice.token_x, dtype=torch.bool)
            steered.append(never_x if choice.steered_x is None else choice.steered_x)
            tops.append(choice.moment.top_xn)
            advance(len(choice.token_x))
    token_xt, surprisal_xt, steered_xt, written_xtn = (
        torch.stack(parts, dim=1) for parts in (token, surprisal, steered, tops)
    )
    top_xtn = torch.cat([*prompts.past, written_xtn], dim=1)
    return Continuation(token_xt, surprisal_xt, top_xtn, steered_xt)
