"""Which attention function each layer calls with what, while a model runs as it would anyway.

Functions stand in transformers' attention interface by name, and layers look them up at each call.
While a model is watched, each name leads to a function that calls the one that stood there and then
shows what that was given. Where such a function itself calls another of the interface, with other
arguments, the inner call is the one that the layer used, and it alone is shown.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from ..models.architecture import ArchitectureError, tokens_of
from ..models.attention_calls import eager_of
from ..models.causality import furthest, lengths_to_try
from ..models.decoder import LayeredModel
from .weights import Call, attention_rows, error_of_output

Show = Callable[[Call, Tensor, Tensor], Tensor]
"""From what a layer's attention function was given, what it made of it, and the tokens read."""


class Watch(threading.local):
    """What was found in the pass that this thread makes.

    ids_xt : (windows, positions) the tokens that are read.
    layer : the one whose block is at work.
    calls : of attention functions so far.
    found : layer → what was made of its attention; none of a layer that has no attention.
    """

    def __init__(self) -> None:
        self.ids_xt = torch.empty(0)
        self.layer: int | None = None
        self.calls = 0
        self.found: dict[int, Tensor] = {}

    def read(self, model: LayeredModel, ids_xt: Tensor) -> dict[int, Tensor]:
        """What is found in one pass of this thread."""
        self.ids_xt, self.layer, self.found = ids_xt, None, {}
        with torch.inference_mode():
            model.model.base_model(input_ids=ids_xt, use_cache=False)
        return self.found


@contextmanager
def watched(model: LayeredModel, layers: Sequence[int], show: Show) -> Iterator[Watch]:
    """Have passes of any thread show the attention of some layers; that of block k is layer k's.

    Raises
    ------
    ArchitectureError
        From a pass in which a layer attends more than once.
    """
    watch = Watch()

    def see(call: Call, output: Tensor) -> None:
        layer = watch.layer
        if layer is None:
            return
        if layer in watch.found:
            raise ArchitectureError(
                f"{_name(model)}: layer {layer} attends more than once, so it has no one map of "
                f"attention; leave the model out of `attention`"
            )
        watch.found[layer] = show(call, output, watch.ids_xt)

    def enter(layer: int) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            watch.layer = layer

        return hook

    def leave(*_: Any) -> None:
        watch.layer = None

    with ExitStack() as stack:
        for layer in layers:
            if layer:
                block = model.blocks[layer - 1]
                stack.enter_context(block.register_forward_pre_hook(enter(layer)))
                stack.enter_context(block.register_forward_hook(leave))
        stack.enter_context(_functions_wrapped(watch, see))
        yield watch


@contextmanager
def _functions_wrapped(watch: Watch, see: Callable[[Call, Tensor], None]) -> Iterator[None]:
    """Each function of the interface, in a wrapper that shows the innermost calls."""
    stood = dict(ALL_ATTENTION_FUNCTIONS)
    alone = dict(ALL_ATTENTION_FUNCTIONS._local_mapping)

    def wrapper(name: str) -> Callable[..., Any]:
        def attend(
            module: nn.Module,
            query: Tensor,
            key: Tensor,
            value: Tensor,
            attention_mask: Tensor | None = None,
            *more: Any,
            **options: Any,
        ) -> Any:
            function = stood.get(name) or _own_eager(module)
            before = watch.calls
            output = function(module, query, key, value, attention_mask, *more, **options)
            if watch.calls == before:
                watch.calls += 1
                see(Call(module, query, key, value, attention_mask, options), output[0])
            return output

        return attend

    try:
        for name in {*stood, "eager"}:
            ALL_ATTENTION_FUNCTIONS[name] = wrapper(name)
        yield
    finally:
        ALL_ATTENTION_FUNCTIONS._local_mapping = alone


def _own_eager(module: nn.Module) -> Callable[..., Any]:
    function = eager_of(module)
    if function is None:
        raise ArchitectureError(
            f"{type(module).__name__}: its file has no `eager_attention_forward`, so its attention "
            f"cannot be measured; set the model's attention to sdpa"
        )
    return function


def check_weights(
    model: LayeredModel, layers: Sequence[int], heads: list[int] | None = None
) -> None:
    """Check that attention can be measured: on a text that outgrows sliding windows.

    The weights that are made again must make of the layer's values what its own function does, but
    for rounding; in half precision, where that function may round logits, in most rows.

    Parameters
    ----------
    heads : those that are to be measured; all by default.

    Raises
    ------
    ArchitectureError
        If no layer shows its attention, or if it is another than what is made again.
    ValueError
        If there is no such head.
    """

    def error(call: Call, output: Tensor, _ids_xt: Tensor) -> Tensor:
        next(attention_rows(call, heads))
        return error_of_output(call, output)

    length = lengths_to_try(model.model.config, model.positions)[-1]
    ids_1t = tokens_of(model.model, length)
    with watched(model, layers, error) as watch:
        found = watch.read(model, ids_1t)
    if not found:
        raise ArchitectureError(
            f"{_name(model)}: none of its layers {', '.join(map(str, layers))} attends through "
            f"transformers' attention interface, so there are no attention weights to measure; "
            f"leave the model out of `attention`, or measure other layers"
        )
    tolerance = math.sqrt(model.eps)
    for layer, error_t in found.items():
        missed = furthest(error_t, model.eps)
        if not missed <= tolerance:
            raise ArchitectureError(
                f"{_name(model)}: attention weights made of the queries and keys of layer {layer} "
                f"miss its own output by {missed:.2g} of its norm (allowed: {tolerance:.2g}), so "
                f"they are not those that it uses; leave the model out of `attention`"
            )


def _name(model: LayeredModel) -> str:
    return type(model.model).__name__
