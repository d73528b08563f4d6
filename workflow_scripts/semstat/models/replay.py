"""The last position of a text from one layer up, with everything before it held fixed.

A text is read token by token with a cache of keys and values. Of the last token, a reader
remembers how each block above its layer was called, so that these blocks alone can be run again,
with autograd if wanted, on any other hidden state at that position.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import Cache

from .decoder import ArchitectureError, Decoder, LayeredModel

Call = tuple[tuple[Any, ...], dict[str, Any]]


class Moment(NamedTuple):
    """The last token of each text of a batch, as a model reads it.

    before, after : cache without and with this token; neither is ever altered.
    calls : what each block above the reader's layer was given beside the hidden state.
    state_xn : (texts, hidden) residual stream at the reader's layer.
    top_xn : (texts, hidden) the last block's output, before the final norm.
    """

    before: Cache
    after: Cache
    calls: list[Call]
    state_xn: Tensor
    top_xn: Tensor


class Reader:
    """Reads texts token by token, with one layer in view.

    Parameters
    ----------
    layered : the model; its weights should not require gradients.
    layer : 0, the input of the first block, to the number of blocks.

    Raises
    ------
    ValueError
        If the layer does not exist.
    ArchitectureError
        If running the blocks above the layer again does not give what the model gave.
    """

    def __init__(self, layered: LayeredModel, layer: int) -> None:
        if not 0 <= layer <= layered.n_blocks:
            raise ValueError(
                f"layer {layer} does not exist (the model has layers 0 to {layered.n_blocks})"
            )
        self.layered, self.layer = layered, layer
        self.decoder = _at_least_float32(layered.decoder)
        self._check()

    def start(self, ids_xt: Tensor) -> tuple[Moment, list[Tensor]]:
        """Read texts of one length.

        Parameters
        ----------
        ids_xt : (texts, tokens) at least one token each.

        Returns
        -------
        the moment of the last token, and the last block's output at those before it: none where
        there is one token, else one piece, (texts, tokens − 1, hidden).
        """
        config = self.layered.model.config.get_text_config()
        cache: Cache = DynamicCache(config=config)
        history: list[Tensor] = []
        if ids_xt.shape[1] > 1:
            with torch.no_grad(), _calls(self.layered.blocks[-1:]) as (_, top):
                body = self.layered.model.base_model
                cache = body(ids_xt[:, :-1], past_key_values=cache, use_cache=True).past_key_values
            history = [top[0]]
        return self.read(ids_xt[:, -1:], cache), history

    def read(self, token_x1: Tensor, before: Cache) -> Moment:
        """Read one more token of each text, after those in a cache."""
        after = _fork(before)
        watched = self.layered.blocks[self.layer :] or self.layered.blocks[-1:]
        with torch.no_grad(), _calls(watched) as (calls, top):
            self.layered.model.base_model(token_x1, past_key_values=after, use_cache=True)
        top_xn = top[0][:, -1]
        if self.layer == self.layered.n_blocks:
            return Moment(before, after, [], top_xn, top_xn)
        state_xn = calls[0][0][0][:, -1]
        others = [(args[1:], kwargs) for args, kwargs in calls]
        return Moment(before, after, others, state_xn, top_xn)

    def replay(self, moment: Moment, state_xn: Tensor) -> tuple[Tensor, Cache]:
        """What the blocks above the layer make of another hidden state.

        Returns
        -------
        (texts, hidden) the last block's output, and the cache with this position in it.
        """
        cache = _fork(moment.before)
        # A block finds the layers below it as they are when the model calls it.
        below = [copy.copy(layer) for layer in moment.after.layers[: self.layer]]
        cache.layers = [*below, *cache.layers[self.layer :]]
        q_x1n = state_xn[:, None]
        for block, (args, kwargs) in zip(
            self.layered.blocks[self.layer :], moment.calls, strict=True
        ):
            own = [cache if isinstance(value, Cache) else value for value in args]
            named = {k: cache if isinstance(v, Cache) else v for k, v in kwargs.items()}
            output = block(q_x1n, *own, **named)
            q_x1n = output[0] if isinstance(output, tuple) else output
        return q_x1n[:, -1], cache

    def with_state(self, moment: Moment, state_xn: Tensor) -> Moment:
        """The moment as if the hidden state at the layer had been another one."""
        with torch.no_grad():
            top_xn, after = self.replay(moment, state_xn)
        return moment._replace(after=after, state_xn=state_xn, top_xn=top_xn)

    def logits(self, top_xn: Tensor) -> Tensor:
        """(…, vocabulary) logits of the last block's output, in float32 or better."""
        return self.decoder.logits(top_xn.to(self.decoder.unembedding.weight.dtype))

    def log_p(self, top_xn: Tensor) -> Tensor:
        """(…, vocabulary) log-probabilities of the next token, nats."""
        return torch.log_softmax(self.logits(top_xn), dim=-1)

    def output(self, top_xn: Tensor) -> Tensor:
        """(…, hidden′) what the unembedding is given: the final norm is applied."""
        with torch.no_grad():
            for module in self.decoder.tail:
                top_xn = module(top_xn)
        return top_xn

    def function(
        self, moment: Moment, functional: Callable[[Tensor], Tensor]
    ) -> Callable[[Tensor], Tensor]:
        """A functional of the log-probabilities as a function of the hidden state at the layer.

        Parameters
        ----------
        functional : (texts, vocabulary) log-probabilities → (texts, m).

        Returns
        -------
        (texts, hidden) → (texts, m), differentiable.
        """
        return lambda state_xn: functional(self.log_p(self.replay(moment, state_xn)[0]))

    def _check(self) -> None:
        device, vocabulary = self.layered.device, self.decoder.vocabulary
        moment, _ = self.start(torch.arange(1, 9, device=device)[None] % vocabulary)
        with torch.no_grad():
            found_xn, _ = self.replay(moment, moment.state_xn)
        tolerance = 4 * torch.finfo(found_xn.dtype).eps * moment.top_xn.abs().max().item()
        error = (found_xn - moment.top_xn).abs().max().item()
        if not error <= tolerance:
            raise ArchitectureError(
                f"{type(self.layered.model).__name__}: running its blocks above layer "
                f"{self.layer} again misses the model's own output by {error:.2g} (allowed: "
                f"{tolerance:.2g}), so it cannot be steered; teach workflow_scripts/semstat/"
                f"models/replay.py what its forward does between blocks"
            )


def repeat(cache: Cache, times: int) -> Cache:
    """A cache in which each text stands so many times in a row."""
    copied = _fork(cache)
    copied.batch_repeat_interleave(times)
    return copied


def select(moment: Moment, row_x: Tensor) -> Moment:
    """Some of the texts of a moment at the top layer, which has no calls."""
    after = _fork(moment.after)
    after.batch_select_indices(row_x)
    before = _fork(moment.before)
    before.batch_select_indices(row_x)
    return Moment(before, after, [], moment.state_xn[row_x], moment.top_xn[row_x])


def _fork(cache: Cache) -> Cache:
    """A cache that grows on its own; tensors are shared, since growing replaces them."""
    forked = copy.copy(cache)
    forked.layers = [copy.copy(layer) for layer in cache.layers]
    return forked


@lru_cache(maxsize=1)
def _at_least_float32(decoder: Decoder) -> Decoder:
    """The decode in float32 or float64; readers of one model share the copy that this may be."""
    return decoder if decoder.unembedding.weight.dtype == torch.float64 else decoder.in_float32()


@contextmanager
def _calls(blocks: nn.ModuleList) -> Iterator[tuple[list[Call], list[Tensor]]]:
    """Collect what blocks are called with, hidden state first, and what the last one returns."""
    calls: list[Call] = []
    top: list[Tensor] = []

    def keep_call(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        named = dict(kwargs)
        calls.append((args or (named.pop("hidden_states"),), named))

    def keep_output(_module: nn.Module, _args: Any, output: Any) -> None:
        top.append(output[0] if isinstance(output, tuple) else output)

    handles = [block.register_forward_pre_hook(keep_call, with_kwargs=True) for block in blocks]
    handles.append(blocks[-1].register_forward_hook(keep_output))
    try:
        yield calls, top
    finally:
        for handle in handles:
            handle.remove()
