"""What a model remembers of a text: caches of keys and values, and recurrent states.

Keys and values are replaced as they grow; recurrent states are overwritten in place, so that a
cache which is to stay as it is needs copies of them.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import DynamicCache
from transformers.cache_utils import (
    Cache,
    CacheLayerMixin,
    EncoderDecoderCache,
    LinearAttentionCacheLayerMixin,
)

from .architecture import ArchitectureError, text_config

_NAMES = ("past_key_values", "cache_params")
"""What transformers calls a cache, as an argument and in what a model returns."""


def read_on(body: Any, ids_xt: Tensor, cache: Cache, numbered: bool) -> None:
    """Read some more tokens of each text, (texts, tokens), which the cache remembers then.

    Parameters
    ----------
    numbered : whether the positions are told: some models count from 0 in each call otherwise.
    """
    told = {}
    if numbered:
        seen = cache.get_seq_length()
        position_t = torch.arange(seen, seen + ids_xt.shape[1], device=ids_xt.device)
        told["position_ids"] = position_t.expand(ids_xt.shape)
    body(ids_xt, **{_name(body): cache}, **told, use_cache=True)


@contextmanager
def growing(device: torch.device) -> Iterator[None]:
    """Attention while texts grow, not by cuDNN.

    cuDNN, which torch prefers on Hopper GPUs, plans anew for each length of text: 50 ms a token on
    an H100, where a step takes 26 without.
    """
    if device.type != "cuda":
        yield
        return
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]):
        yield


def takes_positions(body: Any) -> bool:
    """Whether a model can be told at which positions tokens stand."""
    return "position_ids" in inspect.signature(body.forward).parameters


def _name(body: Any) -> str:
    known = inspect.signature(body.forward).parameters
    passed_on = any(parameter.kind == parameter.VAR_KEYWORD for parameter in known.values())
    return next((name for name in _NAMES if name in known), _NAMES[0] if passed_on else "")


def empty_cache(model: Any) -> Cache:
    """A cache of no text: of the model's own class, where that is not one for all models.

    Raises
    ------
    ArchitectureError
        If it keeps none, or one that is none of transformers'.
    """
    body = model.base_model
    made = None
    if name := _name(body):
        first_11 = torch.zeros((1, 1), dtype=torch.long, device=model.device)
        with torch.no_grad():
            made = getattr(body(first_11, use_cache=True), name, None)
    if not isinstance(made, Cache):
        raise ArchitectureError(
            "transformers gives it no cache of keys, values or states that could be copied"
        )
    if isinstance(made, EncoderDecoderCache) or inspect.signature(type(made)).parameters:
        return DynamicCache(config=text_config(model.config))
    own: Cache = type(made)()
    return own


def fork(cache: Cache) -> Cache:
    """A cache that grows on its own; keys and values are shared, since growing replaces them."""
    forked: Cache = _own_containers(cache)
    forked.layers = [_own_containers(layer) for layer in cache.layers]
    return forked


def _own_containers(item: Any) -> Any:
    """A shallow copy, and copies of the states that it holds in lists and dictionaries."""
    copied = copy.copy(item)
    for name, value in vars(item).items():
        if isinstance(value, dict):
            setattr(copied, name, {key: _own(state) for key, state in value.items()})
        elif isinstance(value, list):
            setattr(copied, name, [_own(state) for state in value])
    return copied


def _own(state: Any) -> Any:
    return state.clone() if isinstance(state, Tensor) else state


def rows_of(cache: Cache, row_x: Tensor) -> Cache:
    """The cache of some of its texts, each as often as it is named."""
    chosen = fork(cache)
    if any(isinstance(layer, LinearAttentionCacheLayerMixin) for layer in chosen.layers):
        chosen.reorder_cache(row_x.long())  # type: ignore[arg-type]
    else:
        chosen.batch_select_indices(row_x)
    return chosen


def with_rows(cache: Cache, row_x: Tensor, other: Cache) -> Cache:
    """The cache in which some of its texts are those of another cache, as long as it is.

    Parameters
    ----------
    row_x : (texts of the other cache,) which of its texts they take the place of.
    """
    mixed: Cache = _with_rows(cache, row_x, other)
    return mixed


def _with_rows(own: Any, row_x: Tensor, other: Any) -> Any:
    """A cache's tensors mixed; what has no row for each text is the same for all of one length."""
    if isinstance(own, Tensor):
        of_texts = own.dim() > 0 and len(other) == len(row_x) and own.shape[1:] == other.shape[1:]
        return own.index_copy(0, row_x, other) if of_texts else own
    if isinstance(own, dict):
        return {key: _with_rows(value, row_x, other[key]) for key, value in own.items()}
    if isinstance(own, list):
        return [_with_rows(value, row_x, there) for value, there in zip(own, other, strict=True)]
    if isinstance(own, Cache | CacheLayerMixin | LinearAttentionCacheLayerMixin):
        mixed = copy.copy(own)
        for name, value in vars(own).items():
            setattr(mixed, name, _with_rows(value, row_x, getattr(other, name)))
        return mixed
    return own
