"""Quantities of a next-token distribution that steering can move."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..energies.hamiltonian import energy
from ..errors import InputError


@dataclass(frozen=True)
class Functional:
    """A differentiable functional of log-probabilities, with the values that it can take.

    name : what it is, for messages.
    of : (texts, vocabulary) log-probabilities → (texts, m).
    low, high : bounds that no distribution exceeds, for all of the m.
    """

    name: str
    of: Callable[[Tensor], Tensor]
    low: float = -math.inf
    high: float = math.inf

    def __call__(self, log_p_xv: Tensor) -> Tensor:
        return self.of(log_p_xv)


def log_probability(token: Tensor) -> Functional:
    """ln p of one token a text, (texts,), or of several, (texts, m), nats; at most 0.

    Raises, when called, InputError if a token lies outside the vocabulary.
    """
    return Functional("ln p of the target", lambda log_p_xv: _gather(log_p_xv, token), high=0.0)


def surprisal(token: Tensor) -> Functional:
    """−ln p of tokens as in `log_probability`, nats; at least 0."""
    return Functional("the target's surprisal", lambda log_p_xv: -_gather(log_p_xv, token), low=0.0)


def entropy(vocabulary: int) -> Functional:
    """Entropy of the distribution, (texts, 1), nats; from 0 to the logarithm of the vocabulary."""

    def of(log_p_xv: Tensor) -> Tensor:
        return -(log_p_xv.exp() * log_p_xv).sum(dim=-1, keepdim=True)

    return Functional("the entropy", of, low=0.0, high=math.log(vocabulary))


def hamiltonian(correct_x: Tensor, last_x: Tensor) -> Functional:
    """The energy H = p(correct) − p(last), (texts, 1), probability; from −1 to 1."""

    def of(log_p_xv: Tensor) -> Tensor:
        return energy(_gather(log_p_xv, correct_x), _gather(log_p_xv, last_x))[:, :1]

    return Functional("the energy H", of, low=-1.0, high=1.0)


def log_odds(tokens_xv: Tensor, rival_x: Tensor) -> Functional:
    """ln Σ p(tokens) − ln p(rival), (texts, 1), nats.

    Parameters
    ----------
    tokens_xv : (texts, vocabulary) bool, which tokens; none of a text leaves −inf.
    rival_x : (texts,) one other token.
    """

    def of(log_p_xv: Tensor) -> Tensor:
        among_x = log_p_xv.masked_fill(~tokens_xv, -math.inf).logsumexp(dim=-1)
        return among_x[:, None] - _gather(log_p_xv, rival_x)

    return Functional("the log-odds", of)


def joint(*functionals: Functional) -> Functional:
    """Several functionals as one, side by side; the bounds are the widest of them."""
    return Functional(
        " and ".join(functional.name for functional in functionals),
        lambda log_p_xv: torch.cat([each(log_p_xv) for each in functionals], dim=-1),
        min(functional.low for functional in functionals),
        max(functional.high for functional in functionals),
    )


def _gather(log_p_xv: Tensor, token: Tensor) -> Tensor:
    vocabulary = log_p_xv.shape[-1]
    outside = (token < 0) | (token >= vocabulary)
    if outside.any():
        raise InputError(
            f"target token {int(token[outside][0])} lies outside the vocabulary; "
            f"take an id from 0 to {vocabulary - 1}"
        )
    return log_p_xv.gather(-1, token.reshape(len(log_p_xv), -1))
