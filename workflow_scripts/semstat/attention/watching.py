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
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from ..models.architecture import ArchitectureError, tokens_of
from ..models.attention_calls import eager_of
from ..models.causality import furthest, lengths_to_try
from ..models.decoder import LayeredModel
from .weights import Call, Given, error_of_output

Show = Callable[[Call, Tensor, Tensor], Tensor]
"""From what a layer's attention function was given, what it made of it, and the tokens read."""


class Maps(NamedTuple):
    """Reads with a model that attends by code of its own, and gives out its maps if asked to.

    show : from the maps of a layer, and the tokens read.
    """

    layers: Sequence[int]
    show: Callable[[Given, Tensor], Tensor]

    def read(self, model: LayeredModel, ids_xt: Tensor) -> dict[int, Tensor]:
        """What is found in one pass."""
        maps = maps_given(model, ids_xt)
        return {layer: self.show(maps[layer - 1], ids_xt) for layer in self.layers if layer}


def maps_given(model: LayeredModel, ids_xt: Tensor) -> list[Given]:
    """Maps of each block; none of a model that gives out none, or not of each."""
    with torch.inference_mode():
        output = model.model.base_model(input_ids=ids_xt, use_cache=False, output_attentions=True)
    maps = getattr(output, "attentions", None) or ()
    each = [Given(weight_xhqk) for weight_xhqk in maps if weight_xhqk is not None]
    return each if len(each) == len(model.blocks) else []


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
) -> bool:
    """Check that attention can be measured: on a text that outgrows sliding windows.

    The weights that are made again must make of the layer's values what its own function does, but
    for rounding; in half precision, where that function may round logits, in most rows. A model
    none of whose layers attends through the interface must give out its maps, whose rows sum to 1
    and look at nothing to come.

    Parameters
    ----------
    heads : those that are to be measured; all by default.

    Returns
    -------
    Whether maps are those that the model gives out.

    Raises
    ------
    ArchitectureError
        If no layer shows its attention, or if it is another than what is made again.
    ValueError
        If there is no such head.
    """

    def error(call: Call, output: Tensor, _ids_xt: Tensor) -> Tensor:
        next(call.rows(heads))
        return error_of_output(call, output)

    length = lengths_to_try(model.model.config, model.positions)[-1]
    ids_1t = tokens_of(model.model, length)
    with watched(model, layers, error) as watch:
        found = watch.read(model, ids_1t)
    if not found:
        _check_given(model, ids_1t, layers, heads)
        return True
    tolerance = math.sqrt(model.eps)
    for layer, error_t in found.items():
        missed = furthest(error_t, model.eps)
        if not missed <= tolerance:
            raise ArchitectureError(
                f"{_name(model)}: attention weights made of the queries and keys of layer {layer} "
                f"miss its own output by {missed:.2g} of its norm (allowed: {tolerance:.2g}), so "
                f"they are not those that it uses; leave the model out of `attention`"
            )
    return False


def _check_given(
    model: LayeredModel, ids_1t: Tensor, layers: Sequence[int], heads: list[int] | None
) -> None:
    maps = maps_given(model, ids_1t)
    if not maps:
        raise ArchitectureError(
            f"{_name(model)}: none of its layers {', '.join(map(str, layers))} attends through "
            f"transformers' attention interface, and it gives out no maps, so there are no "
            f"attention weights to measure; leave the model out of `attention`, or measure other "
            f"layers"
        )
    if model.model.config._attn_implementation != "eager":
        raise ArchitectureError(
            f"{_name(model)}: its attention is code of its own, which gives out the maps that it "
            f"uses with `eager` alone; set the model's `attention` to eager"
        )
    for layer in filter(None, layers):
        next(maps[layer - 1].rows(heads))
        weight_hqk = maps[layer - 1].weight_xhqk[0].double()
        missed = max(
            float((weight_hqk.sum(dim=-1) - 1).abs().max()), float(weight_hqk.triu(1).abs().max())
        )
        if not missed <= math.sqrt(model.eps):
            raise ArchitectureError(
                f"{_name(model)}: maps that it gives out for layer {layer} are not those of causal "
                f"attention: rows miss 1, or see what is to come, by {missed:.2g}; leave the model "
                f"out of `attention`"
            )


def _name(model: LayeredModel) -> str:
    return type(model.model).__name__
