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
    drawn_entropy_x : (texts,) entropy of what was drawn from, nats; None where nothing was drawn.
    """

    token_x: Tensor
    logits_xv: Tensor
    moment: Moment
    following: Moment | None = None
    steered_x: Tensor | None = None
    drawn_entropy_x: Tensor | None = None


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
    surprisal_xt : (texts, S) −ln p of each under the model's own distribution, nats.
    entropy_xt : (texts, S) entropy of that distribution, nats.
    energy_xt : (texts, S) H = p(token) − p(token before it) under it.
    drawn_entropy_xt : (texts, S) entropy of what the token was drawn from, nats; 0 where nothing
        was drawn.
    top_xtn : (texts, P + S − 1, hidden) the last block's output at all tokens but the last one.
    steered_xt : (texts, S) bool, where the hidden state was changed before the choice; the model's
        own distribution is, from there on, that of the changed state.
    """

    token_xt: Tensor
    surprisal_xt: Tensor
    entropy_xt: Tensor
    energy_xt: Tensor
    drawn_entropy_xt: Tensor
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
    token, numbers, drawn, steered, tops = [], [], [], [], []
    last_x = prompt_xt[:, -1]
    with torch.no_grad():
        prompts = begin(reader, prompt_xt)
        for choice in itertools.islice(write(reader, prompts, method), steps):
            token_x = choice.token_x
            never_x = torch.zeros_like(token_x, dtype=torch.bool)
            steered.append(never_x if choice.steered_x is None else choice.steered_x)
            numbers.append(measure(choice.logits_xv, token_x, last_x))
            zero_x = torch.zeros_like(numbers[-1][0])
            drawn.append(zero_x if choice.drawn_entropy_x is None else choice.drawn_entropy_x)
            token.append(token_x)
            tops.append(choice.moment.top_xn)
            last_x = token_x
            advance(len(token_x))
    surprisal_xt, entropy_xt, energy_xt = _side_by_side(numbers)
    token_xt, drawn_xt, steered_xt, written_xtn = (
        torch.stack(parts, dim=1) for parts in (token, drawn, steered, tops)
    )
    top_xtn = torch.cat([*prompts.past, written_xtn], dim=1)
    return Continuation(
        token_xt, surprisal_xt, entropy_xt, energy_xt, drawn_xt, top_xtn, steered_xt
    )


def reread(reader: Reader, prompt_xt: Tensor, token_xt: Tensor) -> Continuation:
    """What a text is to the model as it is, whoever wrote it: nothing steered, nothing drawn.

    Parameters
    ----------
    prompt_xt : (texts, P) token ids, at least one each.
    token_xt : (texts, S) those that follow.
    """
    steps = token_xt.shape[1]
    whole_xt = torch.cat([prompt_xt, token_xt], dim=1)
    with torch.no_grad():
        moment, past = reader.start(whole_xt[:, :-1])
        top_xtn = torch.cat([*past, moment.top_xn[:, None]], dim=1)
        numbers = [
            measure(reader.logits(top_xn), token_x, last_x)
            for top_xn, token_x, last_x in zip(
                top_xtn[:, -steps:].transpose(0, 1),
                token_xt.T,
                whole_xt[:, -steps - 1 : -1].T,
                strict=True,
            )
        ]
    surprisal_xt, entropy_xt, energy_xt = _side_by_side(numbers)
    zero_xt, never_xt = torch.zeros_like(surprisal_xt), torch.zeros_like(token_xt, dtype=torch.bool)
    return Continuation(token_xt, surprisal_xt, entropy_xt, energy_xt, zero_xt, top_xtn, never_xt)


def _side_by_side(numbers: list[tuple[Tensor, Tensor, Tensor]]) -> list[Tensor]:
    """(texts, steps) of the (texts,) numbers of each step."""
    return [torch.stack(of_steps, dim=1) for of_steps in zip(*numbers, strict=True)]


def measure(logits_xv: Tensor, token_x: Tensor, last_x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Surprisal of a token, entropy of what it comes from, and its energy: (texts,) each.

    Parameters
    ----------
    logits_xv : (texts, vocabulary) at the token before it, `last_x`.
    """
    log_p_xv = torch.log_softmax(logits_xv, dim=-1)
    p_xv = log_p_xv.exp()
    surprisal_x = -log_p_xv.gather(1, token_x[:, None])[:, 0]
    p_last_x = p_xv.gather(1, last_x[:, None])[:, 0]
    entropy_x = torch.special.entr(p_xv).sum(dim=-1)
    return surprisal_x, entropy_x, torch.exp(-surprisal_x) - p_last_x
