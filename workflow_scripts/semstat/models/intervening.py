"""Interventions: what is changed in a model while it runs, its weights being another entry's.

Those in attention go through transformers' attention interface. The model is told to use an
implementation of ours, which calls the one that it would use anyway (sdpa, eager) with other logits
or another mask, or silences what heads give. Masks are changed where transformers makes them: there
each query and key has its position in the text, whatever a cache holds.

No list of architectures is kept: a change is believed only after the attention of each layer that
it acts on has come out as it does when it is computed by hand, on a text of a few tokens.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import and_masks, causal_mask_function

from .architecture import ArchitectureError, find_blocks, run, text_config, tokens_of
from .attention_calls import code_of, eager_of, for_each_head, scaling_of
from .causality import distance, furthest

_NUMBER = itertools.count()


class Intervention:
    """What is changed in a model. Interventions are frozen dataclasses of their parameters.

    Layers count from 1: layer k is the k-th block, whose output is the hidden state of layer k.
    Heads count from 0.
    """

    def check(self, config: Any) -> None:
        """Check, before weights are loaded, that a model of this configuration has what is named.

        Raises
        ------
        ValueError
            "parameter: what is wrong; remedy".
        ArchitectureError
            If it can not act on such a model.
        """
        raise NotImplementedError

    def apply(self, model: Any) -> None:
        """Change a transformers causal language model, in evaluation mode and on its device.

        Raises
        ------
        ArchitectureError
            If that cannot be done exactly.
        """
        raise NotImplementedError


def require(holds: bool, message: str) -> None:
    """Raise ValueError with the message unless a parameter is as it must be."""
    if not holds:
        raise ValueError(message)


def check_layers(layers: tuple[int, ...], config: Any, key: str = "layers") -> None:
    """Raise ValueError if a model has no such layer."""
    blocks = getattr(text_config(config), "num_hidden_layers", None)
    for layer in layers:
        require(
            1 <= layer <= (blocks or layer),
            f"{key}: layer {layer} does not exist (the model has layers 1 to {blocks}); correct it",
        )


class OfAttention(Intervention):
    """A change of attention: of its logits, of what is seen, or of what heads give.

    masks : whether `sees` hides keys.
    recomputes : whether logits or masks are others, so that attention is to be checked by hand.
    layers, heads : where it acts, as (layer, head) if it does so in some heads; empty for all.
    """

    masks: ClassVar[bool] = False
    recomputes: ClassVar[bool] = True
    layers: tuple[int, ...] = ()
    heads: tuple[tuple[int, int], ...] = ()

    def sees(self, q: Tensor, k: Tensor) -> Tensor:  # noqa: ARG002
        """Which keys a query sees, of those that it would see anyway.

        Parameters
        ----------
        q, k : integer positions in the text, which broadcast.
        """
        return k >= 0

    def factor(self) -> float:
        """What logits are multiplied by where it acts."""
        return 1.0

    def silences(self) -> bool:
        """Whether the heads where it acts give nothing."""
        return False

    def trial(self) -> OfAttention:
        """The same for a text of a few tokens, to be compared with what is computed by hand."""
        return self

    @property
    def named_layers(self) -> tuple[int, ...]:
        """Layers that are named, by themselves or by their heads."""
        return self.layers or tuple(sorted({layer for layer, _ in self.heads}))

    def heads_at(self, layer: int) -> list[int]:
        """Heads of a layer in which it acts, where it acts in some only."""
        return [head for of, head in self.heads if of == layer]

    def check(self, config: Any) -> None:
        heads = getattr(text_config(config), "num_attention_heads", None)
        if not heads:
            raise ArchitectureError(
                f"{config.model_type} has no heads of attention to change; take another model"
            )
        check_layers(self.layers, config)
        check_layers(tuple(layer for layer, _ in self.heads), config, "heads")
        for layer, head in self.heads:
            if isinstance(heads, int):
                require(0 <= head < heads, _no_head(layer, head, heads))

    def apply(self, model: Any) -> None:
        changed = _Changed(self, model)
        name = f"{changed.plain}_intervened_{next(_NUMBER)}"
        AttentionInterface.register(name, changed.attend)
        AttentionMaskInterface.register(name, changed.mask)
        model.set_attn_implementation(name)
        changed.check(model)


def _no_head(layer: int, head: int, heads: int) -> str:
    there = f"the model has heads 0 to {heads - 1}"
    return f"heads: head {head} of layer {layer} does not exist ({there}); correct it"


class _Call(NamedTuple):
    """A call of attention that was watched.

    heads : number of them.
    moved : how far what it gave is from what is computed by hand, relative to its norm.
    tolerance : how far that may be.
    """

    module: nn.Module
    layer: int
    heads: int
    moved: float = 0.0
    tolerance: float = 0.0


class _Changed:
    """An implementation of attention, for one model: the plain one with a change.

    plain : name of the implementation that the model would use.
    """

    def __init__(self, change: OfAttention, model: Any) -> None:
        self.change, self.plain = change, model.config._attn_implementation
        self.layer_of: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()
        for layer, block in enumerate(find_blocks(model), start=1):
            self.layer_of |= dict.fromkeys(block.modules(), layer)
        self.calls: list[_Call] | None = None

    def attend(
        self,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        **more: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """Attention as transformers calls it.

        Parameters
        ----------
        query, key, value : (texts, heads, positions, components); fewer heads of the last two where
            several queries share them.
        attention_mask : (texts, 1 or heads, queries, keys), True where seen, or what is added to
            logits; None if all are seen up to the query.

        Returns
        -------
        (texts, queries, heads, components), and the weights if the implementation tells them.
        """
        attend = _implementation(module, self.plain)
        change, layer = self.change, self.layer_of.get(module)
        acts = layer is not None and (not change.named_layers or layer in change.named_layers)
        if layer is None or not acts:
            if layer is not None and self.calls is not None:
                self.calls.append(_Call(module, layer, query.shape[1]))
            given: tuple[Tensor, Tensor | None] = attend(
                module, query, key, value, attention_mask, **more
            )
            return given
        factor = self._factor(layer, query)
        q, mask, told = _with_logits_times(factor, query, attention_mask, more)
        output, weights = attend(module, q, key, value, mask, **told)
        if self.calls is not None:
            error = (0.0, 0.0)
            if change.recomputes:
                expected = _by_hand(change, factor, query, key, value, attention_mask, more)
                error = _moved(output, expected)
            self.calls.append(_Call(module, layer, query.shape[1], *error))
        if change.silences():
            head_h = torch.tensor(change.heads_at(layer), device=output.device)
            output = output.index_fill(2, head_h, 0.0)
        return output, weights

    def mask(self, **told: Any) -> Any:
        """A mask as transformers has it made: the plain one, of what is seen."""
        if self.change.masks:
            plain = told.get("mask_function", causal_mask_function)
            told["mask_function"] = and_masks(plain, lambda _b, _h, q, k: self.change.sees(q, k))
            told["allow_is_causal_skip"] = False
        make = AttentionMaskInterface()[self.plain]
        return make(**told)

    def check(self, model: Any) -> None:
        """Watch the attention of a text of a few tokens.

        Raises
        ------
        ArchitectureError
            If it is not what it would be by hand, or does not come by here.
        """
        name, change = type(model).__name__, self.change
        self.change, self.calls = change.trial(), []
        run(model, tokens_of(model))
        calls, self.change, self.calls = self.calls, change, None
        there = sorted({call.layer for call in calls})
        if not there:
            raise ArchitectureError(
                f"{name}: its attention does not go through transformers' attention interface, so "
                f"it cannot be changed; take another model"
            )
        for layer in change.named_layers:
            if layer not in there:
                raise ArchitectureError(
                    f"{name}: layer {layer} has no attention that goes through transformers' "
                    f"attention interface; name some of {', '.join(map(str, there))}"
                )
        for call in calls:
            if change.named_layers and [other.module for other in calls].count(call.module) > 1:
                raise ArchitectureError(
                    f"{name}: its attention is called more than once in a pass, so none is of one "
                    f"layer; leave `layers` and `heads` out, or take another model"
                )
            for head in change.heads_at(call.layer):
                if not 0 <= head < call.heads:
                    raise ArchitectureError(f"{name}: {_no_head(call.layer, head, call.heads)}")
            if not call.moved <= call.tolerance:
                raise ArchitectureError(
                    f"{name}: so changed, its attention at layer {call.layer} is not what it is "
                    f"when computed by hand, but off by {call.moved:.2g} of its norm (allowed: "
                    f"{call.tolerance:.2g}); set its attention to sdpa or eager, or take another "
                    f"model"
                )

    def _factor(self, layer: int, query: Tensor) -> float | Tensor:
        """What logits of a layer are multiplied by: one number, or (heads, 1, 1) of them."""
        factor, heads = self.change.factor(), self.change.heads_at(layer)
        if factor == 1.0 or not heads:
            return factor
        dtype = torch.promote_types(query.dtype, torch.float32)
        factor_h = torch.ones(query.shape[1], dtype=dtype, device=query.device)
        factor_h[heads] = factor
        return factor_h[:, None, None]


def _implementation(module: nn.Module, name: str) -> Callable[..., Any]:
    """An implementation of attention, as the code of a module would look it up."""
    known: Any = getattr(code_of(module), "ALL_ATTENTION_FUNCTIONS", AttentionInterface())
    attend: Callable[..., Any] | None = known.get_interface(name, eager_of(module))
    if attend is None:
        raise ArchitectureError(
            f"{type(module).__name__}: transformers has no function for its {name} attention; set "
            f"its attention to sdpa, or take another model"
        )
    return attend


def _with_logits_times(
    factor: float | Tensor, query: Tensor, mask: Tensor | None, more: dict[str, Any]
) -> tuple[Tensor, Tensor | None, dict[str, Any]]:
    """Query, mask and further arguments by which all logits are multiplied.

    A soft cap, c·tanh(logits / c), and biases, in the mask or beside it, are multiplied too.
    """
    if isinstance(factor, float) and factor == 1.0:
        return query, mask, more
    told = dict(more)
    if isinstance(factor, Tensor):
        query = (query * factor).to(query.dtype)
    else:
        told["scaling"] = factor * scaling_of(query, more)
    for name in ("softcap", "position_bias"):
        if told.get(name) is not None:
            told[name] = told[name] * factor
    if mask is not None and mask.is_floating_point():
        hidden = mask < torch.finfo(mask.dtype).min / 2
        mask = torch.where(hidden, mask, (mask * factor).to(mask.dtype))
    return query, mask, told


def _by_hand(
    change: OfAttention,
    factor: float | Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    more: dict[str, Any],
) -> Tensor:
    """(texts, queries, heads, components) attention of a text without a cache."""
    q = query.double()
    k, v = (for_each_head(query, x, torch.float64) for x in (key, value))
    logits = q @ k.mT * scaling_of(query, more)
    if (cap := more.get("softcap")) is not None:
        logits = cap * torch.tanh(logits / cap)
    if (bias := more.get("position_bias")) is not None:
        logits = logits + bias
    position = torch.arange(k.shape[-2], device=k.device)
    query_t1 = position[-q.shape[-2] :, None]
    seen = (position <= query_t1) & change.sees(query_t1, position)
    if mask is not None and mask.dtype == torch.bool:
        seen = seen & mask
    elif mask is not None:
        seen, logits = seen & (mask >= torch.finfo(mask.dtype).min / 2), logits + mask
    return ((logits * factor).masked_fill(~seen, -math.inf).softmax(-1) @ v).transpose(1, 2)


def _moved(found: Tensor, expected: Tensor) -> tuple[float, float]:
    """How far attention is from what is expected, relative to its norm, and how far it may be."""
    if found.shape != expected.shape:
        return math.inf, 0.0
    eps = max(torch.finfo(found.dtype).eps, torch.finfo(torch.float32).eps)
    moved = furthest(distance(found.flatten(2), expected.flatten(2)), eps)
    return moved, math.sqrt(eps)


def blocks_at(model: Any, layers: tuple[int, ...]) -> Iterator[nn.Module]:
    """Blocks of some layers, or of all if none is named.

    Raises
    ------
    ArchitectureError
        If the model has none there.
    """
    blocks = find_blocks(model)
    for layer in layers or range(1, len(blocks) + 1):
        if layer > len(blocks):
            raise ArchitectureError(
                f"{type(model).__name__}: layer {layer} does not exist (it has {len(blocks)})"
            )
        yield blocks[layer - 1]
