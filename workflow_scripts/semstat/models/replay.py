"""The last position of a text from one layer up, with everything before it held fixed.

A text is read token by token with a cache of keys and values. Of the last token, a reader
remembers how each block above its layer was called, so that these blocks alone can be run again,
with autograd if wanted, on any other hidden state at that position.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache

from ..errors import first_line
from .architecture import ArchitectureError, first_of, flat, tokens_of
from .caches import empty_cache, fork, growing, read_on, rows_of, takes_positions
from .causality import distance, lengths_to_try
from .decoder import Decoder, LayeredModel
from .thread_pool import thread_pool

_STEPS = 4
"""Through the cache, to check it."""

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
        with blamed_on_its_code(layered.model, "can neither write nor be steered; its energies"):
            self._empty = empty_cache(layered.model)
            if not layered.remembers:
                self._find_how_to_read()
        with blamed_on_its_code(layered.model, "cannot be steered there; its energies"):
            self._check_replay()

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
        cache = fork(self._empty)
        history: list[Tensor] = []
        if ids_xt.shape[1] > 1:
            with torch.no_grad(), _calls(self.layered.blocks[-1:]) as (_, top):
                self._read_on(ids_xt[:, :-1], cache)
            history = [top[0]]
        return self.read(ids_xt[:, -1:], cache), history

    def read(self, token_x1: Tensor, before: Cache) -> Moment:
        """Read one more token of each text, after those in a cache."""
        after = fork(before)
        watched = self.layered.blocks[self.layer :] or self.layered.blocks[-1:]
        with torch.no_grad(), growing(token_x1.device), _calls(watched) as (calls, top):
            self._read_on(token_x1, after)
        top_xn = top[0][:, -1]
        if self.layer == self.layered.n_blocks:
            return Moment(before, after, [], top_xn, top_xn)
        state_xn = flat(calls[0][0][0])[:, -1]
        others = [(args[1:], kwargs) for args, kwargs in calls]
        return Moment(before, after, others, state_xn, top_xn)

    def read_in_place(self, token_x1: Tensor, caches: Sequence[Cache]) -> Tensor:
        """The last block's output at one more token of each text, after those in caches.

        Unlike `read` this alters the caches, and remembers nothing to go back to.

        Parameters
        ----------
        token_x1 : (texts, 1) token ids.
        caches : of a share of the texts each, in order; on a CPU threads take one each.

        Returns
        -------
        (texts, hidden)
        """
        last = self.layered.n_blocks
        with self.layered.recorded([last]) as record, growing(token_x1.device):

            def read(ids_x1: Tensor, cache: Cache) -> Tensor:
                with torch.no_grad():
                    self._read_on(ids_x1, cache)
                return record.states.pop(last)[:, -1]

            if len(caches) == 1:
                return read(token_x1, caches[0])
            pool = thread_pool(len(caches), max(1, torch.get_num_threads() // len(caches)))
            return torch.cat(list(pool.map(read, token_x1.tensor_split(len(caches)), caches)))

    def replay(self, moment: Moment, state_xn: Tensor) -> tuple[Tensor, Cache]:
        """What the blocks above the layer make of another hidden state.

        Returns
        -------
        (texts, hidden) the last block's output, and the cache with this position in it.
        """
        cache = fork(moment.before)
        # A block finds the layers below it as they are when the model calls it.
        below = [copy.copy(layer) for layer in moment.after.layers[: self.layer]]
        cache.layers = [*below, *cache.layers[self.layer :]]
        q_x1n = self.layered.unflat(state_xn[:, None])
        for block, (args, kwargs) in zip(
            self.layered.blocks[self.layer :], moment.calls, strict=True
        ):
            own = [cache if isinstance(value, Cache) else value for value in args]
            named = {k: cache if isinstance(v, Cache) else v for k, v in kwargs.items()}
            output = block(q_x1n, *own, **named)
            q_x1n = first_of(output)
        return flat(q_x1n)[:, -1], cache

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
            return self.decoder.normed(top_xn.to(self.decoder.unembedding.weight.dtype))

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

    def _read_on(self, ids_xt: Tensor, cache: Cache) -> None:
        read_on(self.layered.model.base_model, ids_xt, cache, self.layered.numbered)

    def _find_how_to_read(self) -> None:
        """Read on through the cache as is, or else with positions told."""
        try:
            self._check_cache()
        except ArchitectureError:
            if not takes_positions(self.layered.model.base_model):
                raise
            self.layered.numbered = True
            self._check_cache()
        self.layered.remembers = True

    def _check_cache(self) -> None:
        """Check steps through the cache against one pass without, past every sliding window."""
        length = lengths_to_try(self.layered.model.config, self.layered.positions)[-1]
        ids_1t = tokens_of(self.layered.model, length)
        steps = min(_STEPS, length - 1)
        moment, _ = self.start(ids_1t[:, :-steps])
        read = [moment.top_xn]
        for token_1 in ids_1t[:, -steps:].T:
            moment = self.read(token_1[:, None], moment.after)
            read.append(moment.top_xn)
        last = self.layered.n_blocks
        whole = self.layered.hidden_states(ids_1t, [last])[last][0, -steps - 1 :]
        moved_t = distance(self.output(torch.cat(read)), self.output(whole))
        moved = (moved_t.max() if self.layered.eps < 1e-6 else moved_t.median()).item()
        tolerance = math.sqrt(self.layered.eps)
        if not moved <= tolerance:
            raise ArchitectureError(
                f"read token by token through its cache, a text of {length} tokens has states that "
                f"differ from those of the whole by {moved:.2g} of their norm (allowed: "
                f"{tolerance:.2g})"
            )

    def _check_replay(self) -> None:
        """Check that another state at the layer does what it would do in the model."""
        ids_1t = tokens_of(self.layered.model)
        moment, _ = self.start(ids_1t)
        noise_xn = torch.randn(moment.state_xn.shape, generator=torch.Generator().manual_seed(0))
        size = moment.state_xn.std().item()
        other_xn = moment.state_xn + 0.1 * size * noise_xn.to(moment.state_xn)
        with torch.no_grad():
            found_xn, _ = self.replay(moment, other_xn)
        expected_xn = self._with_hook(ids_1t[:, -1:], moment, other_xn)
        tolerance = 4 * torch.finfo(found_xn.dtype).eps * expected_xn.abs().max().item()
        error = (found_xn - expected_xn).abs().max().item()
        if not error <= tolerance:
            raise ArchitectureError(
                f"running its blocks above layer {self.layer} again misses the model's own output "
                f"by {error:.2g} (allowed: {tolerance:.2g})"
            )

    def _with_hook(self, token_11: Tensor, moment: Moment, state_xn: Tensor) -> Tensor:
        """(texts, hidden) the last block's output where the model finds another state."""
        state = self.layered.unflat(state_xn[:, None])

        def put_in(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if args:
                return (state, *args[1:]), kwargs
            return args, kwargs | {"hidden_states": state}

        if self.layer == self.layered.n_blocks:
            return state_xn
        with self.layered.blocks[self.layer].register_forward_pre_hook(put_in, with_kwargs=True):
            return self.read(token_11, moment.before).top_xn


def repeat(moment: Moment, times: int) -> Cache:
    """The cache after a moment, in which each text stands so many times in a row."""
    text_x = torch.arange(len(moment.top_xn), device=moment.top_xn.device)
    return rows_of(moment.after, text_x.repeat_interleave(times))


def select(moment: Moment, row_x: Tensor) -> Moment:
    """Some of the texts of a moment at the top layer, which has no calls."""
    before, after = rows_of(moment.before, row_x), rows_of(moment.after, row_x)
    return Moment(before, after, [], moment.state_xn[row_x], moment.top_xn[row_x])


@contextmanager
def blamed_on_its_code(model: Any, so: str) -> Iterator[None]:
    """Say of a model what follows from an error, its own code's or that of a check."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        # The code of 189 types raises anything where it is called as it did not expect.
        said = first_line(error)
        if not isinstance(error, ArchitectureError):
            said = f"its own code in transformers fails there ({said})"
        raise ArchitectureError(
            f"{type(model).__name__}: {said}, so it {so} can be measured"
        ) from (error)


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
        top.append(flat(first_of(output)))

    handles = [block.register_forward_pre_hook(keep_call, with_kwargs=True) for block in blocks]
    handles.append(blocks[-1].register_forward_hook(keep_output))
    try:
        yield calls, top
    finally:
        for handle in handles:
            handle.remove()
