"""Per-token energies at every layer asked for, from one pass through the model's body."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .decoder import Decoder, LayeredModel
from .readout import read_out
from .windows import Window, batch_windows, buffer_windows, pad_windows, shuffled_predecessors

Columns = dict[str, NDArray[Any]]
log = logging.getLogger(__name__)


def measure_windows(
    model: LayeredModel,
    windows: Iterable[Window],
    layers: Sequence[int],
    batch_tokens: int,
    advance: Callable[[int], object] = lambda _states: None,
    lens: Mapping[int, nn.Module] = MappingProxyType({}),
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
    plain = model.decoder.in_float32()
    decoders = {layer: plain.after(lens[layer]) if layer in lens else plain for layer in layers}
    for buffer in buffer_windows(windows, batch_tokens):
        parts: list[dict[int, Columns]] = [{} for _ in buffer]
        pending = batch_windows(buffer, batch_tokens)[::-1]
        while pending:
            batch = pending.pop()
            try:
                measured = _measure_batch(model, plain, decoders, [buffer[i] for i in batch])
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                measured = None
            if measured is None:  # out of the except clause, which would keep its tensors alive
                torch.cuda.empty_cache()
                widest = buffer[batch[0]].positions
                batch_tokens = max(widest, len(batch) * widest // 2)
                log.warning("out of GPU memory: going on with %d tokens a batch", batch_tokens)
                waiting = [i for rest in [batch, *pending] for i in rest]
                rebatched = batch_windows([buffer[i] for i in waiting], batch_tokens)
                pending = [[waiting[i] for i in again] for again in rebatched][::-1]
                continue
            for index, columns in zip(batch, measured, strict=True):
                parts[index] = columns
            advance(sum(buffer[index].states for index in batch))
        yield {layer: _concatenate([part[layer] for part in parts]) for layer in layers}


def _concatenate(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _measure_batch(
    model: LayeredModel, plain: Decoder, decoders: dict[int, Decoder], windows: list[Window]
) -> list[dict[int, Columns]]:
    """Columns of each window at each layer that there is a decoder for."""
    ids_bt, scored_bt = pad_windows(windows)
    ids = torch.from_numpy(ids_bt).to(model.device)
    scored = torch.from_numpy(scored_bt).to(model.device)
    last_s, correct_s = ids[:, :-1][scored], ids[:, 1:][scored]
    hidden = model.hidden_states(ids[:, :-1], list(decoders))
    before = torch.from_numpy(shuffled_predecessors(windows)).to(model.device)

    start_b = np.array([window.start for window in windows])
    doc_b = np.array([window.doc for window in windows])
    window_s = np.nonzero(scored_bt)[0]
    shared: Columns = {
        "doc": doc_b[window_s].astype(np.int32),
        "position": (start_b[:, None] + np.arange(scored_bt.shape[1]))[scored_bt].astype(np.int32),
        "last": _to_numpy(last_s.int()),
        "correct": _to_numpy(correct_s.int()),
    }
    cuts = np.cumsum(np.bincount(window_s, minlength=len(windows)))[:-1]
    split: list[dict[int, Columns]] = [{} for _ in windows]
    for layer, decoder in decoders.items():
        h_btn = hidden.pop(layer)
        try:
            readout = read_out(decoder, h_btn[scored], last_s, correct_s)
        except FloatingPointError as error:
            state = error.args[0]
            raise FloatingPointError(
                f"layer {layer}: NaN or infinite activation in document {shared['doc'][state]} "
                f"at position {shared['position'][state]} ({h_btn.dtype})"
            ) from error
        columns = shared | {name: _to_numpy(x) for name, x in readout._asdict().items()}
        kinematics = norm_and_speeds(h_btn, before)
        with torch.inference_mode():
            normed = norm_and_speeds(plain.normed(h_btn.float()), before)
        kinematics |= {f"normed_{name}": normed[name] for name in ("speed", "shuffled_speed")}
        columns |= {name: _to_numpy(x[scored]) for name, x in kinematics.items()}
        for name, column in columns.items():
            for target, piece in zip(split, np.split(column, cuts), strict=True):
                target.setdefault(layer, {})[name] = piece
    return split


def norm_and_speeds(h_btn: Tensor, before_bt: Tensor) -> dict[str, Tensor]:
    """‖h(t)‖₂, ‖h(t) − h(t−1)‖₂, and the latter with the positions in shuffled order.

    Parameters
    ----------
    h_btn : (windows, positions, hidden).
    before_bt : (windows, positions) the position before each in the shuffled order; itself if none.

    Returns
    -------
    norm, speed, shuffled_speed : (windows, positions) float32; speed is NaN at each window's first
        position, shuffled_speed where nothing comes before.
    """
    h_btn = h_btn.float()
    speed_bt = torch.linalg.vector_norm(h_btn.diff(dim=1), dim=-1)
    before_btn = h_btn.take_along_dim(before_bt[:, :, None], dim=1)
    shuffled_bt = torch.linalg.vector_norm(h_btn - before_btn, dim=-1)
    itself_bt = before_bt == torch.arange(h_btn.shape[1], device=h_btn.device)
    return {
        "norm": torch.linalg.vector_norm(h_btn, dim=-1),
        "speed": torch.nn.functional.pad(speed_bt, (1, 0), value=torch.nan),
        "shuffled_speed": shuffled_bt.masked_fill(itself_bt, torch.nan),
    }


def _to_numpy(x: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = x.cpu().numpy()
    return array
