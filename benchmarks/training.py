"""How fast does a model train, beside transformers' own Trainer and beside the machine's floor?

An update is the way forward, the loss, the way back and AdamW, of a Llama of SmolLM2-135M's sizes
with random weights. The yardstick is the plain Trainer with the model's own cross entropy; ours is
the same Trainer with our loss, our sums and our clock. They take turns, each a few updates, and a
ratio is the median over turns of neighbours in time. The floor is 6 operations a parameter and
token at the rate of a product of square matrices, measured in every turn.

    python -m benchmarks.training --out training.json --threads 2
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers

from workflow_scripts.models.loading import Running
from workflow_scripts.running.command import progress, run
from workflow_scripts.semstat.training.cross_entropy import CrossEntropy
from workflow_scripts.semstat.training.energy_barrier import EnergyBarrier
from workflow_scripts.training.fitter import Fitter, Windows
from workflow_scripts.training.fitting import Fit, arguments_of

from .energies import processor
from .objectives import SMOLLM2

PLAIN = "transformers' Trainer"

OURS = {
    "cross entropy": CrossEntropy(),
    "energy barrier": EnergyBarrier(),
    "energy barrier, 16 periods": EnergyBarrier(periods=16),
}

SIDE = {"cpu": 2048, "cuda": 8192}
"""Of the square matrices by which the machine's rate is measured."""


class Stopwatch(transformers.TrainerCallback):
    """Seconds of each update but the first."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.last: float | None = None

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = time.perf_counter()
        if self.last is not None:
            self.seconds.append(now - self.last)
        self.last = now


class _Plain(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """The windows, as the plain Trainer takes them."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        ids_t = self.windows[index]["input_ids"][:-1]
        return {"input_ids": ids_t, "labels": ids_t}


def training(
    *,
    out: Path,
    device: Literal["cpu", "cuda"] = "cpu",
    threads: int = 1,
    precision: Literal["float32", "bfloat16"] = "float32",
    batch: int = 8,
    sequence: int = 256,
    updates: int = 3,
    repeats: int = 3,
    blocks: int = 30,
) -> None:
    """Measure the time of an update.

    Parameters
    ----------
    out : JSON file to make.
    device : where it trains.
    threads : CPU threads.
    precision : of products.
    batch : windows of an update.
    sequence : tokens of a window.
    updates : timed in each turn.
    repeats : turns.
    blocks : of the Llama; fewer than 30 make another model of it.
    """
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    config = transformers.LlamaConfig(**SMOLLM2 | {"num_hidden_layers": blocks})
    rng = np.random.default_rng(0)
    wanted = (1 + updates) * batch
    window_xt = rng.integers(1, config.vocab_size, (wanted, sequence + 1), dtype=np.int32)
    windows = Windows(window_xt, np.arange(wanted))
    fit = Fit(
        tokens=[],
        shares=[],
        train_tokens=wanted * sequence,
        sequence=sequence,
        batch=batch,
        precision=precision,
    )
    running = Running(model=Path("llama"), device=device)
    seconds: dict[str, list[float]] = {}
    rates = []
    with progress("training", "updates", repeats * (1 + len(OURS)) * (1 + updates)) as bar:
        for _ in range(repeats):
            rates.append(_rate(device, precision))
            for name in (PLAIN, *OURS):
                trained = _turn(config, windows, fit, running, name)
                seconds.setdefault(name, []).append(statistics.median(trained))
                bar.update(1 + updates)
    parameters = transformers.LlamaForCausalLM(config).num_parameters()
    floor = 6 * parameters * batch * sequence / statistics.median(rates)
    found: dict[str, Any] = {
        "processor": torch.cuda.get_device_name() if device == "cuda" else processor(),
        "threads": threads,
        "precision": precision,
        "parameters": parameters,
        "tokens of an update": batch * sequence,
        "rate of square products": statistics.median(rates),
        "floor, seconds of an update": floor,
    }
    for name, measured in seconds.items():
        pairs = zip(seconds[PLAIN], measured, strict=True)
        found[name] = {
            "seconds of an update": statistics.median(measured),
            "tokens a second": batch * sequence / statistics.median(measured),
            "share of the floor": floor / statistics.median(measured),
            "as fast as the plain one": statistics.median(plain / ours for plain, ours in pairs),
        }
    out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


def _turn(config: Any, windows: Windows, fit: Fit, running: Running, name: str) -> list[float]:
    """Seconds of some updates of a fresh model."""
    transformers.set_seed(0)
    model = transformers.LlamaForCausalLM(config).to(running.device)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        arguments = arguments_of(running, fit, Path(folder), running.device)
        if name == PLAIN:
            trainer = transformers.Trainer(
                model, arguments, train_dataset=_Plain(windows), callbacks=[watch]
            )
        else:
            trainer = Fitter("llama", OURS[name], 0, model, arguments, windows, watch)
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    return watch.seconds


def _rate(device: str, precision: str) -> float:
    """Operations a second of a product of square matrices."""
    side = SIDE[device]
    a_nn = torch.randn(side, side, device=device, dtype=getattr(torch, precision))
    best = float("inf")
    for _ in range(4):
        begun = time.perf_counter()
        a_nn @ a_nn
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begun)
    return 2 * side**3 / best


if __name__ == "__main__":
    run(training)
