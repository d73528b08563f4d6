"""Keys and values that grow in place, for texts of which nobody goes back.

transformers' own cache makes new keys and values at each token, so that a step copies all that is
remembered: at 1,000 tokens that takes several times as long as the attention that reads it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

from .caches import rows_of
from .replay import Reader


def in_place(cache: Cache, row_x: Tensor, positions: int) -> Cache:
    """A cache of some of the texts of another, each as often as it is named, that grows in place.

    Layers that remember otherwise (sliding windows, recurrent states) are as transformers has them.

    Parameters
    ----------
    cache : of texts that were read; not changed.
    row_x : (texts,) which of its texts.
    positions : that there is to be room for, those in the cache among them.
    """
    grown = rows_of(cache, row_x)
    grown.layers = [
        _InPlace(layer, positions)
        if type(layer) is DynamicLayer and layer.is_initialized
        else layer
        for layer in grown.layers
    ]
    return grown


def bytes_remembered(cache: Cache, positions: int) -> int:
    """Keys and values of a text of so many tokens, in a cache of this kind that holds some, bytes.

    Recurrent states, which do not grow, are left out.
    """
    return sum(
        tensor[0, :, 0].numel()
        * tensor.element_size()
        * min(positions, getattr(layer, "sliding_window", positions))
        for layer in cache.layers
        if isinstance(layer, DynamicLayer)
        for tensor in (layer.keys, layer.values)
        if tensor is not None and tensor.numel()
    )


def bytes_of_a_text(reader: Reader, positions: int) -> int:
    """What a model remembers of a text of so many tokens, in bytes: keys and values."""
    moment, _ = reader.start(torch.zeros((1, 2), dtype=torch.long, device=reader.layered.device))
    return bytes_remembered(moment.after, positions)


class _InPlace(DynamicLayer):
    """One layer's keys and values, (texts, heads, positions, components), in tensors with room."""

    def __init__(self, layer: DynamicLayer, positions: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtype, self.device, self.is_initialized = layer.dtype, layer.device, True
        assert layer.keys is not None and layer.values is not None  # noqa: S101
        self._room = [_with_room(tensor, positions) for tensor in (layer.keys, layer.values)]
        self._show(layer.keys.shape[-2])

    def update(
        self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        seen, more = self.get_seq_length(), key_states.shape[-2]
        for room, new in zip(self._room, (key_states, value_states), strict=True):
            # Unlike a slice this is an error where there is no room left.
            room.narrow(-2, seen, more).copy_(new)
        self._show(seen + more)
        assert self.keys is not None and self.values is not None  # noqa: S101
        return self.keys, self.values

    def _show(self, positions: int) -> None:
        self.keys, self.values = (room[..., :positions, :] for room in self._room)


def _with_room(tensor: Tensor, positions: int) -> Tensor:
    *before, seen, components = tensor.shape
    room = torch.empty((*before, positions, components), dtype=tensor.dtype, device=tensor.device)
    room[..., :seen, :] = tensor
    return room
