"""Where a model's blocks are, and what its own code does with the last one's output.

Nothing is taken from a list of architectures: a pass over a few tokens is watched, and functions
between modules (a factor on a state, a soft cap on logits) are read off by feeding them numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..errors import InputError, first_line

TOKENS = 8
"""Length of the text that a model is watched on."""


class ArchitectureError(InputError):
    """What a model does could not be reproduced exactly, or is not what a decoder does."""


class Scale(nn.Module):
    """Multiplies a state by a factor that the configuration names and no module holds."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, q_sn: Tensor) -> Tensor:
        return q_sn * self.factor


class Streams(nn.Module):
    """The parallel streams of one residual state, (…, streams · hidden) → (…, streams, hidden)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, q_sn: Tensor) -> Tensor:
        return q_sn.reshape(*q_sn.shape[:-1], *self.shape)


class Watched(NamedTuple):
    """What a pass showed of the way from the last block's output to the logits.

    tail : modules that lead to what the unembedding reads, in turn.
    unembedding : the linear map, cut to the vocabulary of the model's own logits.
    scale, soft_cap : as `Decoder` has them.
    top, logits : of the tokens watched, for comparison.
    """

    tail: tuple[nn.Module, ...]
    unembedding: nn.Linear
    scale: float
    soft_cap: float | None
    top: Tensor
    logits: Tensor


def first_of(output: Any) -> Any:
    """The hidden state among what a block returns."""
    return output[0] if isinstance(output, tuple | list) else output


def flat(state: Tensor) -> Tensor:
    """(windows, positions, …) residual stream with one hidden dimension."""
    return state.flatten(2) if state.dim() > 3 else state


def find_blocks(model: Any) -> nn.ModuleList:
    """The list of the blocks that text goes through.

    Raises
    ------
    ArchitectureError
        If there is no such list, or more than one.
    """
    name = type(model).__name__
    lists = _outermost_lists(_text_model(model))
    wanted = getattr(text_config(model.config), "num_hidden_layers", None)
    found = [blocks for _, blocks in lists if len(blocks) == wanted]
    if len(found) == 1:
        return found[0]
    called = _called_in_full(model, lists)
    if len(called) != 1:
        some = ", ".join(path for path, _ in lists[:6])
        raise ArchitectureError(
            f"{name}: of its lists of blocks ({some or 'none'}) a text goes once through "
            f"{len(called)}, where a decoder has one, so it has no layers to measure; take another "
            f"model"
        )
    return called[0]


def text_config(config: Any) -> Any:
    """The part of a configuration that is about text; the whole where no one part is."""
    try:
        return config.get_text_config(decoder=True)
    except ValueError:
        return config


def longest_text(config: Any) -> int | None:
    """As many positions as a model was made for; None where it says none."""
    limit = getattr(text_config(config), "max_position_embeddings", None)
    return limit if limit is not None and limit > 0 else None  # XLNet has −1 for none


def _text_model(model: Any) -> nn.Module:
    """The part of a model that text goes through, as far as the model tells."""
    part = model.get_decoder() if hasattr(model, "get_decoder") else None
    return part if isinstance(part, nn.Module) and _outermost_lists(part) else model.base_model


def _outermost_lists(owner: nn.Module, path: str = "") -> list[tuple[str, nn.ModuleList]]:
    """Lists of modules that are in no other list, by their path."""
    found = []
    for name, child in owner.named_children():
        here = f"{path}.{name}" if path else name
        if isinstance(child, nn.ModuleList):
            found.append((here, child))
        else:
            found += _outermost_lists(child, here)
    return found


def _called_in_full(model: Any, lists: list[tuple[str, nn.ModuleList]]) -> list[nn.ModuleList]:
    """Those lists of which a text goes once through every module, as a hidden state."""
    calls: list[int] = []

    def note(module: nn.Module, _args: Any, output: Any) -> None:
        state = first_of(output)
        if isinstance(state, Tensor) and state.dim() > 2:
            calls.append(id(module))

    with ExitStack() as hooks:
        for _, blocks in lists:
            for block in blocks:
                hooks.enter_context(block.register_forward_hook(note))
        run(model, tokens_of(model))
    return [
        blocks
        for _, blocks in lists
        if len(blocks) and all(calls.count(id(block)) == 1 for block in blocks)
    ]


def tokens_of(model: Any, length: int = TOKENS) -> Tensor:
    """(1, length) token ids to watch a model on."""
    embedding = model.get_input_embeddings()
    rows = getattr(embedding, "num_embeddings", 2**31)
    return torch.arange(1, length + 1, device=model.device)[None] % rows


def run(model: Any, ids_bt: Tensor) -> Any:
    """The model's own output, without a cache.

    Raises
    ------
    ArchitectureError
        If its own code fails.
    """
    try:
        with torch.inference_mode():
            return model(input_ids=ids_bt, use_cache=False)
    except _StopError:
        raise
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        # The code of 189 types raises anything where a dtype or an input does not suit it.
        dtype = str(model.get_output_embeddings().weight.dtype).removeprefix("torch.")
        remedy = "" if dtype == "float32" else "set its dtype to float32, or "
        raise ArchitectureError(
            f"{type(model).__name__}: its own code in transformers fails on a text in {dtype} "
            f"({first_line(error)}); {remedy}take another model"
        ) from error


class _Call(NamedTuple):
    module: nn.Module
    given: Any
    output: Any


def watch(model: Any, blocks: nn.ModuleList) -> Watched:
    """Watch what the model does after its last block.

    Raises
    ------
    ArchitectureError
        If that cannot be told apart into modules, factors and a soft cap.
    """
    name = type(model).__name__
    unembedding = model.get_output_embeddings()
    if not isinstance(unembedding, nn.Linear):
        raise ArchitectureError(f"{name}: no linear unembedding")
    ids_bt = tokens_of(model)
    with _calls_after(model, blocks[-1], unembedding) as (calls, read):
        logits = run(model, ids_bt).logits
    top = first_of(calls[0].output)
    if top.shape[:2] != ids_bt.shape:
        raise ArchitectureError(
            f"{name}: its last block gives {' × '.join(map(str, top.shape))} numbers for 1 text of "
            f"{ids_bt.shape[1]} tokens, where a decoder gives 1 × {ids_bt.shape[1]} hidden states; "
            f"take another model"
        )
    if len(read) != 1:
        raise ArchitectureError(
            f"{name}: its unembedding is used {len(read)} times in a pass, not once, so it has no "
            f"one decode; take another model"
        )
    tail = _chain(model, calls, unembedding, read[0])
    scale, soft_cap = _after(model, unembedding, logits.shape)
    if logits.shape[-1] < unembedding.out_features:
        unembedding = _cut(unembedding, logits.shape[-1])
    return Watched(tail, unembedding, scale, soft_cap, top, logits)


@contextmanager
def _calls_after(
    model: Any, block: nn.Module, unembedding: nn.Module
) -> Iterator[tuple[list[_Call], list[Tensor]]]:
    """Collect the call of a block, the outermost ones after it, and what the unembedding reads."""
    calls: list[_Call] = []
    read: list[Tensor] = []
    open_calls: list[nn.Module] = []

    def begin(module: nn.Module, _args: Any, _kwargs: Any) -> None:
        open_calls.append(module)

    def end(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        while open_calls.pop() is not module:
            pass  # a call that raised, and was caught, never ended
        if not open_calls:
            given = args[0] if args else next(iter(kwargs.values()), None)
            calls.append(_Call(module, given, output))

    def restart(module: nn.Module, args: Any, output: Any) -> None:
        calls[:] = [_Call(module, args[0] if args else None, output)]
        read.clear()
        open_calls.clear()

    path = next(path for path, module in model.named_modules() if module is block)
    parts = path.split(".")
    above = {id(model.get_submodule(".".join(parts[:depth]))) for depth in range(len(parts))}
    inside = {id(module) for module in block.modules()}
    with ExitStack() as hooks:
        hooks.enter_context(block.register_forward_hook(restart))
        hooks.enter_context(
            unembedding.register_forward_pre_hook(lambda _module, args: read.append(args[0]))
        )
        for module in model.modules():
            if id(module) not in above | inside and module is not unembedding:
                hooks.enter_context(module.register_forward_pre_hook(begin, with_kwargs=True))
                hooks.enter_context(module.register_forward_hook(end, with_kwargs=True))
        yield calls, read


def _chain(
    model: Any, calls: list[_Call], unembedding: nn.Linear, read: Tensor
) -> tuple[nn.Module, ...]:
    """Modules that lead from the last block's output to what the unembedding reads."""
    (block, _, output), *later = calls
    state, producer = first_of(output), block
    tail: list[nn.Module] = []
    if state.dim() > 3:
        tail.append(Streams(tuple(state.shape[2:])))
    for module, given, output in later:
        if not isinstance(given, Tensor) or given.shape != state.shape:
            continue
        if not torch.equal(given, state.to(given.dtype)):
            factor = _factor(model, producer, module)
            if factor is None:
                continue
            tail.append(Scale(factor))
        if unembedding in set(module.modules()):
            module = _before(module, unembedding)
            with torch.inference_mode():
                output = module(given)
        tail.append(module)
        state, producer = first_of(output), module
        if state.shape == read.shape and torch.equal(state.to(read.dtype), read):
            return tuple(tail)
    if state.shape == read.shape:
        if torch.equal(state.to(read.dtype), read):
            return tuple(tail)
        factor = _factor(model, producer, unembedding)
        if factor is not None:
            return (*tail, Scale(factor))
    kinds = ", ".join(type(module).__name__ for module, *_ in later) or "no module"
    raise ArchitectureError(
        f"{type(model).__name__}: its modules after the last block ({kinds}) do not make what its "
        f"unembedding reads of that block's output alone, so its states have no decode; take "
        f"another model, or teach workflow_scripts/semstat/models/architecture.py what its forward "
        f"does"
    )


def _before(head: nn.Module, unembedding: nn.Module) -> nn.Module:
    """A copy of a head that ends where its unembedding begins."""
    return copy.deepcopy(head, {id(unembedding): nn.Identity()})


class _StopError(Exception):
    """A pass has shown what it was to show."""


_PROBES = (0.0, 1.0, 1e6, 2e6, -1.0, 3.0, -17.0, 90.0)


def _probed(shape: torch.Size, device: torch.device) -> Tensor:
    """float64 numbers in the shape of a state or of logits, one a position."""
    row_t = torch.tensor(_PROBES, dtype=torch.float64, device=device)
    return row_t.view(1, -1, *[1] * (len(shape) - 2)).expand(shape).clone()


def _replace_by(probe: Callable[[Tensor], Tensor]) -> Callable[[Any, Any, Any], Any]:
    """A hook that puts other numbers in the place of a module's first output."""

    def hook(_module: nn.Module, _args: Any, output: Any) -> Any:
        if isinstance(output, Tensor):
            return probe(output)
        return type(output)([probe(output[0]), *output[1:]])

    return hook


def _factor(model: Any, producer: nn.Module, consumer: nn.Module) -> float | None:
    """The factor between what one module gives and the next one takes; None if it is none."""
    taken: list[Tensor] = []

    def take(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        taken.append(args[0] if args else next(iter(kwargs.values())))
        raise _StopError

    replace = _replace_by(lambda state: _probed(state.shape, state.device))
    with (
        producer.register_forward_hook(replace),
        consumer.register_forward_pre_hook(take, with_kwargs=True),
    ):
        try:
            run(model, tokens_of(model))
        except _StopError:
            pass
        except ArchitectureError:
            return None
    if not taken:
        return None
    given = _probed(taken[0].shape, taken[0].device)
    factor = taken[0].double()[0, 1].flatten()[0].item()
    close = torch.allclose(taken[0].double(), factor * given, rtol=1e-6, atol=1e-12)
    return factor if close and factor else None


def _after(model: Any, unembedding: nn.Linear, shape: torch.Size) -> tuple[float, float | None]:
    """Factor and soft cap that the model's own code puts on what its unembedding gives."""
    replace = _replace_by(lambda logits: _probed(logits.shape, logits.device))
    with unembedding.register_forward_hook(replace):
        found = run(model, tokens_of(model)).logits.double()
    given = _probed(shape, found.device)
    largest, larger = found[0, 2, 0].item(), found[0, 3, 0].item()
    one = found[0, 1, 0].item()
    soft_cap = largest if largest == larger else None
    if soft_cap is None:
        scale, expected = one, one * given
    else:
        ratio = torch.tensor(one / soft_cap, dtype=torch.float64)
        scale = soft_cap * torch.atanh(ratio).item()
        scale = 1.0 if abs(scale - 1) < 1e-4 else scale
        expected = soft_cap * torch.tanh(scale * given / soft_cap)
    if not torch.allclose(found, expected, rtol=1e-5, atol=1e-5 * abs(scale)):
        raise ArchitectureError(
            f"{type(model).__name__}: what it does to its logits after the unembedding is more "
            f"than a factor and a soft cap, so its energies would be wrong; teach "
            f"workflow_scripts/semstat/models/architecture.py what its forward applies to them"
        )
    return scale, soft_cap


def _cut(unembedding: nn.Linear, vocabulary: int) -> nn.Linear:
    """The first rows of an unembedding, which share its memory."""
    kept = nn.Linear(unembedding.in_features, vocabulary, bias=False, device="meta")
    kept.weight = nn.Parameter(unembedding.weight[:vocabulary], requires_grad=False)
    if unembedding.bias is not None:
        kept.bias = nn.Parameter(unembedding.bias[:vocabulary], requires_grad=False)
    return kept
