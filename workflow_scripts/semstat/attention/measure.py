"""The attention of every state at every layer asked for, from the passes that measure energies."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..models.decoder import LayeredModel
from ..models.thread_pool import thread_pool
from ..models.windows import Window, batch_windows, buffer_windows, pad_windows
from .columns import MEASURES, OF_ROWS
from .measures import measure_rows, measure_states
from .watching import Maps, watched
from .weights import Call, Given

Columns = dict[str, NDArray[Any]]


def measure_attention(
    model: LayeredModel,
    windows: Iterable[Window],
    layers: Sequence[int],
    batch_tokens: int,
    advance: Callable[[int], object] = lambda _states: None,
    heads: list[int] | None = None,
    given: bool = False,
) -> Iterator[dict[int, Columns]]:
    """Measure windows in order, a bounded buffer at a time, in the batches of the energies.

    Parameters
    ----------
    windows : in the order in which their states are to be written.
    layers : layers to measure; the attention of layer k is that of block k, which made its state.
    batch_tokens : positions in one forward pass, padding included.
    advance : called with the number of states that each batch has measured.
    heads : those over which means are taken; all by default.
    given : whether maps are those that the model gives out: what `check_weights` found.

    Yields
    ------
    layer → columns of the attention table, for the states of one buffer in the windows' order.

    Raises
    ------
    FloatingPointError
        If attention is NaN, naming the layer.
    """
    for held in buffer_windows(windows, batch_tokens):
        found: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(held)
        for batch in batch_windows(held, batch_tokens):
            of_batch = [held[index] for index in batch]
            of_windows = _measure(model, of_batch, layers, heads, given)
            for index, measured in zip(batch, of_windows, strict=True):
                found[index] = measured
            advance(sum(window.states for window in of_batch))
        yield _columns(held, layers, np.concatenate(found, axis=2))


def _columns(
    windows: list[Window], layers: Sequence[int], found_lms: NDArray[np.float32]
) -> dict[int, Columns]:
    known: Columns = {
        "doc": np.repeat([window.doc for window in windows], [w.states for w in windows]),
        "position": np.concatenate(
            [window.start + np.arange(window.first, window.positions) for window in windows]
        ),
    }
    measured = zip(layers, found_lms, strict=True)
    return {
        layer: known | dict(zip(MEASURES, found_ms, strict=True)) for layer, found_ms in measured
    }


def _measure(
    model: LayeredModel,
    windows: list[Window],
    layers: Sequence[int],
    heads: list[int] | None,
    given: bool,
) -> list[NDArray[np.float32]]:
    """(layers, measures, states) of each window; threads take windows of their own."""
    ids_xt, _ = pad_windows(windows)
    ids = torch.from_numpy(ids_xt[:, :-1]).to(model.device)
    length_x = [window.positions for window in windows]
    threads = torch.get_num_threads() if model.device.type == "cpu" else 1
    shares = math.gcd(len(windows), threads)
    each = len(windows) // shares

    def show(call: Call, _output: Tensor, ids_xt: Tensor) -> Tensor:
        return measure_rows(call.rows(heads), ids_xt)

    def show_given(maps: Given, ids_xt: Tensor) -> Tensor:
        return measure_rows(maps.rows(heads), ids_xt)

    reader = nullcontext(Maps(layers, show_given)) if given else watched(model, layers, show)
    with model.recorded(layers) as record, reader as watch:

        def run(share: int) -> Tensor:
            mine = slice(share * each, (share + 1) * each)
            record.states = {}
            rows = watch.read(model, ids[mine])
            with torch.inference_mode():
                of_layer = partial(_of_layer, record.states, rows, length_x[mine])
                return torch.stack([of_layer(layer) for layer in layers])

        if shares == 1:
            parts = [run(0)]
        else:
            parts = list(thread_pool(shares, threads // shares).map(run, range(shares)))
    found_lmxt = torch.cat(parts, dim=2).cpu().numpy()
    return [
        found_lmxt[:, :, row, window.first : window.positions] for row, window in enumerate(windows)
    ]


def _of_layer(
    states: dict[int, Tensor], rows: dict[int, Tensor], length_x: list[int], layer: int
) -> Tensor:
    """(measures, windows, positions) those of one layer."""
    h_xtn = states.pop(layer)
    windows, positions, _ = h_xtn.shape
    of_rows = rows.pop(layer, None)
    if of_rows is None:
        of_rows = torch.full((len(OF_ROWS), windows, positions), torch.nan, device=h_xtn.device)
    elif not of_rows[OF_ROWS.index("sink")].isfinite().all():
        raise FloatingPointError(f"layer {layer}: NaN or infinite attention ({h_xtn.dtype})")
    of_windows = measure_states(h_xtn, length_x)[:, :, None].expand(-1, -1, positions)
    norm_xt = h_xtn.float().norm(dim=-1)
    relative_xt = norm_xt / norm_xt[:, :1]
    return torch.cat([of_rows, of_windows, relative_xt[None]])
