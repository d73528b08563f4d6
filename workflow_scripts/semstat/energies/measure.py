"""Per-token energies at every layer asked for, from one pass through the model's body.

A GPU never waits for the host: batches are launched one ahead of the one whose results are taken,
all of which come back in one copy; the host makes the indices, since it would wait for boolean
ones.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..models.decoder import Decoder, LayeredModel
from ..models.windows import (
    Window,
    batch_windows,
    buffer_windows,
    pad_windows,
    shuffled_predecessors,
)
from .columns import COLUMNS
from .readout import begin_read_out, first_not_finite
from .speeds import norm_and_speeds
from .tiles import StateReadout

Columns = dict[str, NDArray[Any]]
Result = TypeVar("Result")
log = logging.getLogger(__name__)

KNOWN = ("doc", "position", "last", "correct")
"""Columns that need no measuring."""

MEASURED = tuple(column for column in COLUMNS if column.name not in KNOWN)
"""The other columns."""

LAST = tuple(column for column in COLUMNS if column.name == "last")
"""What is measured too where a state's last token is the rival that was found."""

Rivals = Callable[[Sequence[Window]], NDArray[np.int64]]
"""(states, rivals) tokens that the correct one is held against, of the scored states of windows one
after the other; −1 where there are fewer."""


def _packed(found: Mapping[str, Tensor]) -> Tensor:
    """(columns, states) those that were measured, so that one copy takes all from a GPU.

    Integers travel as the float32 that has their bits; `_unpacked` gives them back.
    """
    measured = MEASURED + LAST if "last" in found else MEASURED
    return torch.stack([found[column.name].view(torch.float32) for column in measured])


def _unpacked(packed: NDArray[np.float32]) -> Columns:
    """Columns by name, of what `_packed` has packed."""
    columns = zip(MEASURED + LAST, packed, strict=False)
    return {column.name: values_s.view(column.type) for column, values_s in columns}


class _Buffer:
    """Windows that are measured in any order, and columns of their states in the windows' order.

    What is measured is copied here at once: nothing of a batch stays alive, no pinned memory.

    known : (columns, states) int32, those of `KNOWN`.
    measured : (layers, columns, states) float32, those that are measured, packed.
    """

    def __init__(self, windows: list[Window], layers: Sequence[int], rivals: bool) -> None:
        self.windows, self.layers = windows, layers
        self.end_w = np.cumsum([window.states for window in windows])
        self.left = states = int(self.end_w[-1])
        self.known = np.empty((len(KNOWN), states), dtype=np.int32)
        columns = len(MEASURED) + len(LAST) * rivals
        self.measured = np.empty((len(layers), columns, states), dtype=np.float32)

    def put(self, batch: list[int], known: NDArray[np.int32], measured: NDArray[Any]) -> None:
        """Columns of a batch's states, those of its windows one after the other."""
        first = 0
        for index in batch:
            states = self.windows[index].states
            place = slice(self.end_w[index] - states, self.end_w[index])
            self.known[:, place] = known[:, first : first + states]
            self.measured[:, :, place] = measured[:, :, first : first + states]
            first += states
        self.left -= first

    def columns(self) -> Iterator[dict[int, Columns]]:
        """Columns of each layer, once all are measured."""
        if self.left:
            return
        known = dict(zip(KNOWN, self.known, strict=True))
        measured = zip(self.layers, self.measured, strict=True)
        yield {layer: known | _unpacked(packed) for layer, packed in measured}


class _States(NamedTuple):
    """Which positions of a batch are measured, on the model's device.

    scored_s : (states,) their places among all, (windows × positions).
    wanted_sm : (states, 2 or more) their last and their correct token, then rivals, which are the
        correct token where there is none.
    before_bt : (windows, positions) the position before each in the shuffled order.
    """

    scored_s: Tensor
    wanted_sm: Tensor
    before_bt: Tensor

    def of(self, x_bt: Tensor) -> Tensor:
        """(states, …) those of (windows, positions, …)."""
        return x_bt.flatten(0, 1).index_select(0, self.scored_s)


class _Launched(NamedTuple):
    """A batch on its way.

    batch : indices of its windows in their buffer.
    known : (columns, states) those of `KNOWN`.
    measured : (layers, columns, states) those of `MEASURED`, packed, on the host once `done` has
        happened.
    """

    buffer: _Buffer
    batch: list[int]
    known: NDArray[np.int32]
    measured: Tensor
    dtype: torch.dtype
    done: torch.cuda.Event | None


def measure_windows(
    model: LayeredModel,
    windows: Iterable[Window],
    layers: Sequence[int],
    batch_tokens: int,
    advance: Callable[[int], object] = lambda _states: None,
    lens: Mapping[int, nn.Module] = MappingProxyType({}),
    rivals: Rivals | None = None,
) -> Iterator[dict[int, Columns]]:
    """Measure windows in order, a bounded buffer at a time.

    Out of GPU memory halves the batch, down to one window, and keeps it halved.

    Parameters
    ----------
    windows : in the order in which their states are to be written.
    layers : layers to read out.
    batch_tokens : positions in one forward pass, padding included.
    advance : called with the number of states that each batch has measured.
    lens : translators of hidden states by layer, before their decode; the other layers are read
        out by the logit lens.
    rivals : the most probable of these that is not the correct token stands for the last one, and
        is what `last` then holds; where there is none it is the correct token, and H is 0.

    Yields
    ------
    layer → columns of the energies table, for the states of one buffer in the windows' order.

    Raises
    ------
    FloatingPointError
        If an activation is NaN or infinite, naming layer, document and position.
    torch.OutOfMemoryError
        If a single window does not fit.
    """
    decoder = model.decoder.in_float32()
    launched: deque[_Launched] = deque()

    def take() -> Iterator[dict[int, Columns]]:
        taken = launched.popleft()
        _take(taken)
        advance(sum(taken.buffer.windows[index].states for index in taken.batch))
        yield from taken.buffer.columns()

    for held in buffer_windows(windows, batch_tokens):
        buffer = _Buffer(held, layers, rivals is not None)
        pending = batch_windows(held, batch_tokens)[::-1]
        while pending:
            batch = pending.pop()
            try:
                launched.append(_launch(model, decoder, lens, rivals, buffer, batch))
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
            else:
                if len(launched) > 1:
                    yield from take()
                continue
            # Out of the except clause, which would keep its tensors alive.
            torch.cuda.empty_cache()
            widest = held[batch[0]].positions
            batch_tokens = max(widest, len(batch) * widest // 2)
            log.warning("out of GPU memory: going on with %d tokens a batch", batch_tokens)
            waiting = [i for rest in [batch, *pending] for i in rest]
            rebatched = batch_windows([held[i] for i in waiting], batch_tokens)
            pending = [[waiting[i] for i in again] for again in rebatched][::-1]
    while launched:
        yield from take()


def _launch(
    model: LayeredModel,
    decoder: Decoder,
    lens: Mapping[int, nn.Module],
    rivals: Rivals | None,
    buffer: _Buffer,
    batch: list[int],
) -> _Launched:
    """Have a batch measured at each layer of its buffer, without waiting for it."""
    windows = [buffer.windows[index] for index in batch]
    ids_bt, scored_bt = pad_windows(windows)
    ids = _to_device(ids_bt, model.device)
    scored_s = _to_device(np.flatnonzero(scored_bt), model.device)
    last_s, correct_s = (
        tokens.flatten().index_select(0, scored_s) for tokens in (ids[:, :-1], ids[:, 1:])
    )
    wanted_sm = torch.stack([last_s, correct_s], dim=1)
    if rivals is not None:
        rival_sm = _to_device(rivals(windows), model.device)
        rival_sm = torch.where(rival_sm < 0, correct_s[:, None], rival_sm)
        wanted_sm = torch.cat([wanted_sm, rival_sm], dim=1)
    states = _States(
        scored_s,
        wanted_sm,
        _to_device(shuffled_predecessors(windows), model.device),
    )
    hidden = model.hidden_states(ids[:, :-1], buffer.layers)
    begun = (
        _begin_layer(decoder, lens.get(layer), hidden.pop(layer), states) for layer in buffer.layers
    )
    on_host, done = _to_host(torch.stack(list(_one_ahead(begun))))
    known = _known(windows, ids_bt, scored_bt)
    return _Launched(buffer, batch, known, on_host, model.model.dtype, done)


def _begin_layer(
    decoder: Decoder, translator: nn.Module | None, h_btn: Tensor, states: _States
) -> Callable[[], Tensor]:
    """Begin to measure one layer; what it gives when called is `_packed`."""
    with torch.inference_mode():
        normed_btn = decoder.normed(h_btn.float())
    if translator is None:
        # States are normed anyway, for their speeds: what is left is the unembedding.
        q_btn, decoder = normed_btn, replace(decoder, tail=())
    else:
        q_btn, decoder = h_btn, decoder.after(translator)
    read_out = begin_read_out(decoder, states.of(q_btn), states.wanted_sm)

    def end() -> Tensor:
        found = norm_and_speeds(h_btn, states.before_bt)
        normed = norm_and_speeds(normed_btn, states.before_bt)
        found |= {f"normed_{name}": normed[name] for name in ("speed", "shuffled_speed")}
        found = {name: states.of(x_bt) for name, x_bt in found.items()}
        readout = read_out()
        found |= {name: getattr(readout, name) for name in ("entropy", "top", "log_p_top")}
        if states.wanted_sm.shape[1] > len(("last", "correct")):
            found["last"], readout = _with_rival(readout, states.wanted_sm)
        found["log_p_last"], found["log_p_correct"] = readout.log_p.unbind(dim=1)
        found["energy"] = readout.energy
        return _packed(found)

    return end


def _with_rival(readout: StateReadout, wanted_sm: Tensor) -> tuple[Tensor, StateReadout]:
    """The most probable rival of each state, int32, and a readout in which it is the last token."""
    correct_s = wanted_sm[:, 1:2]
    log_p_sm = readout.log_p[:, 2:].masked_fill(wanted_sm[:, 2:] == correct_s, -torch.inf)
    chosen_s = 2 + log_p_sm.argmax(dim=1, keepdim=True)
    # Where all are the correct token, or none is possible, so is the first.
    log_p_s2 = torch.cat([readout.log_p.gather(1, chosen_s), readout.log_p[:, 1:2]], dim=1)
    rival_s = wanted_sm.gather(1, chosen_s).squeeze(1).to(torch.int32)
    return rival_s, readout._replace(log_p=log_p_s2)


def _one_ahead(begun: Iterable[Callable[[], Result]]) -> Iterator[Result]:
    """What each gives when called, in order; the one after it has begun by then."""
    waiting: deque[Callable[[], Result]] = deque()
    for end in begun:
        waiting.append(end)
        if len(waiting) > 1:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()


def _known(
    windows: list[Window], ids_bt: NDArray[np.int64], scored_bt: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """(columns, states) those of `KNOWN`, of the positions that are scored."""
    window_s, offset_s = np.nonzero(scored_bt)
    doc_b, start_b = np.array([(window.doc, window.start) for window in windows]).T
    doc_s, position_s = doc_b[window_s], start_b[window_s] + offset_s
    tokens = ids_bt[:, :-1][scored_bt], ids_bt[:, 1:][scored_bt]
    return np.stack([doc_s, position_s, *tokens]).astype(np.int32)


def _take(launched: _Launched) -> None:
    """Wait for a batch, and put what was found in its windows' places."""
    if launched.done is not None:
        launched.done.synchronize()
    buffer, measured = launched.buffer, launched.measured.numpy()
    for layer, packed in zip(buffer.layers, measured, strict=True):
        found = _unpacked(packed)
        # A state whose squares overflow is read out as if it were 0: the norm divides by infinity.
        state = first_not_finite(found["energy"], found["entropy"], found["norm"])
        if state is not None:
            doc, position, *_ = launched.known[:, state]
            raise FloatingPointError(
                f"layer {layer}: NaN or infinite activation in document {doc} "
                f"at position {position} ({launched.dtype})"
            )
    buffer.put(launched.batch, launched.known, measured)


def _to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    """Copy to the device; the host does not wait."""
    tensor = torch.from_numpy(array)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def _to_host(x: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
    """A copy on the host, and what tells when it is there; the host does not wait."""
    if not x.is_cuda:
        return x, None
    copy = torch.empty(x.shape, dtype=x.dtype, pin_memory=True)
    copy.copy_(x, non_blocking=True)
    return copy, torch.cuda.current_stream(x.device).record_event()
