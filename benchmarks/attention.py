"""What does measuring attention cost, beside measuring energies?

Both stages read the same tokens by the same model at the same layers, as the workflow runs them,
but for writing. They take turns, and a ratio is the median over turns of neighbours in time: this
holds on a machine whose speed drifts. The body alone, which both run, is timed beside them. Peak
memory, above what is held when a way begins, is told for all windows and for the first half of
them: it must not grow with the shard.

    python -m benchmarks.attention --model results/models/smollm2-135m --out attention.json \\
        --tokens 'results/tokens/model=smollm2-135m/dataset=sotu/shard=0.parquet' \\
        --layers 0 10 20 30
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch

from workflow_scripts.models.loading import Running, load
from workflow_scripts.running.command import progress, run
from workflow_scripts.semstat.attention.measure import measure_attention
from workflow_scripts.semstat.attention.watching import check_weights
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.windows import (
    Window,
    batch_windows,
    buffer_windows,
    pad_windows,
)
from workflow_scripts.tokens.shards import Cut

from .energies import PeakMemory, processor, timed


def attention(
    *,
    running: Running,
    cut: Cut = Cut(),
    tokens: Path,
    layers: list[int],
    out: Path,
    repeats: int = 5,
) -> None:
    """Time the stages attention and energies on one shard, in turns.

    Parameters
    ----------
    tokens : Parquet file of the shard.
    layers : layers that both measure.
    out : JSON file to make.
    repeats : turns, after one that is not counted.
    """
    model, facts = load(running, cut.context, "--context")
    model.truncate(max(layers))
    check_weights(model, layers)
    windows = list(cut.windows(pq.ParquetFile(tokens)))
    at_once = running.positions_at_once(model.device)
    ways: dict[str, Callable[[list[Window]], None]] = {
        "energies": lambda held: _exhaust(measure_windows(model, held, layers, at_once)),
        "attention": lambda held: _exhaust(measure_attention(model, held, layers, at_once)),
        "body": lambda held: _body(model, held, layers, at_once),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with progress("attention beside energies", "turns", repeats + 1) as bar:
        for turn in range(repeats + 1):
            for name, way in ways.items():
                took, _ = timed(partial(way, windows), model.device)
                if turn:
                    seconds[name].append(took)
            bar.update(1)
    states = sum(window.states for window in windows)
    ratio = {
        f"{name} / energies": _ratio(seconds[name], seconds["energies"])
        for name in ("attention", "body")
    }
    report: dict[str, Any] = {
        "processor": processor(),
        "model": running.called,
        "layers": layers,
        "states": states,
        "context": cut.context,
        "stride": cut.stride,
        "threads": torch.get_num_threads(),
        "states per second": {n: states / statistics.median(s) for n, s in seconds.items()},
        "ratios": ratio,
        "peak MB": {
            f"{name}, {part}": _peak(model.device, partial(way, windows[: len(windows) // over]))
            for name, way in ways.items()
            for part, over in (("all windows", 1), ("half of them", 2))
        },
        **facts,
    }
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for name, (median, low, high) in ratio.items():
        print(f"{name}: {median:.2f} ({low:.2f} to {high:.2f} over {repeats} turns)")


def _exhaust(pieces: Any) -> None:
    for _ in pieces:
        pass


def _body(model: LayeredModel, windows: list[Window], layers: Sequence[int], at_once: int) -> None:
    for held in buffer_windows(windows, at_once):
        for batch in batch_windows(held, at_once):
            ids_xt, _ = pad_windows([held[index] for index in batch])
            model.hidden_states(torch.from_numpy(ids_xt[:, :-1]).to(model.device), layers)


def _ratio(ours: list[float], theirs: list[float]) -> tuple[float, float, float]:
    """Median, least and greatest ratio of neighbours in time."""
    each = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    return statistics.median(each), each[0], each[-1]


def _peak(device: torch.device, way: Callable[[], None]) -> float:
    memory = PeakMemory(device)
    way()
    return memory.bytes() / 1e6


if __name__ == "__main__":
    run(attention)
