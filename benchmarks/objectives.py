"""What does an objective cost beside the model that it trains, in time and in memory?

A training step is the way forward, the loss and the way back, of a Llama of SmolLM2-135M's sizes
with random weights. The yardstick is cross entropy as transformers has it; ours must agree with it,
or the command fails. The energy barrier is to take at most 5% of a step more than our cross
entropy, and no more memory at its peak than transformers takes.

The contenders take turns, and a ratio is the median over turns of two neighbours in time: this
holds on a machine whose speed drifts. What the loss takes without the model is measured likewise,
on logits of its own: it is not lost in the noise of a step. Peak memory is what a step takes above
what the process holds when it begins, gradients of the weights included: resident on a CPU,
allocated on a GPU. It is measured after the times, once the allocator gave back what is free.

    python -m benchmarks.objectives --out objectives.json
"""

from __future__ import annotations

import ctypes
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

from workflow_scripts.running.command import progress, run
from workflow_scripts.semstat.training.contrastive import Contrastive
from workflow_scripts.semstat.training.cross_entropy import CrossEntropy
from workflow_scripts.semstat.training.energy_barrier import EnergyBarrier
from workflow_scripts.semstat.training.log_probabilities import log_probabilities
from workflow_scripts.semstat.training.objective import Batch, Objective
from workflow_scripts.semstat.training.unlikelihood import Unlikelihood

from .energies import PeakMemory, processor, timed

PEER, PLAIN = "transformers", "cross entropy"

OBJECTIVES: dict[str, Objective] = {
    PLAIN: CrossEntropy(),
    "barrier": EnergyBarrier(),
    "barrier, 16 periods": EnergyBarrier(periods=16),
    "barrier in log-odds": EnergyBarrier(in_log_odds=True, width=1.0),
    "contrastive, last token": Contrastive(recent=1),
    "contrastive": Contrastive(),
    "unlikelihood": Unlikelihood(),
}

SMOLLM2 = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}

KINDS = 2000
"""Of tokens in the batch, so that some are repeated."""

TOLERANCE = {"float32": 1e-5, "bfloat16": 1e-2}
"""Share by which two cross entropies may differ."""


def objectives(
    *,
    out: Path,
    windows: int = 4,
    tokens: int = 128,
    layers: int = 30,
    repeats: int = 3,
    threads: int = 1,
    device: Literal["cpu", "cuda"] = "cpu",
    precision: Literal["float32", "bfloat16"] = "float32",
) -> None:
    """Measure a training step by each objective.

    Parameters
    ----------
    out : JSON file to write.
    windows, tokens : of a step.
    layers : of the model.
    repeats : turns of each contender.
    threads : of the CPU.
    device, precision : of the model.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    config = LlamaConfig(**SMOLLM2 | {"num_hidden_layers": layers})
    model = LlamaForCausalLM(config).to(device, getattr(torch, precision)).train()
    ids_xt = torch.randint(0, KINDS, (windows, tokens + 1), device=device)
    batch = Batch(ids_xt, torch.ones_like(ids_xt[:, 1:], dtype=torch.bool))
    logits_xtv = model(batch.last_xt).logits.detach()

    def step(name: str) -> Tensor:
        loss = of_model(model, batch, name)
        loss.backward()
        model.zero_grad(set_to_none=True)
        return loss.detach()

    def alone(name: str) -> Tensor:
        given = logits_xtv.requires_grad_()
        loss = of_logits(given, batch, name)
        torch.autograd.grad(loss, given)
        return loss.detach()

    names = [PEER, *OBJECTIVES]
    losses = {name: float(step(name)) for name in names}
    if abs(losses[PLAIN] / losses[PEER] - 1) > TOLERANCE[precision]:
        raise SystemExit(f"cross entropies differ: {losses[PLAIN]} and {losses[PEER]}")
    steps = take_turns(names, step, repeats, ids_xt.device)
    losses_alone = take_turns(names, alone, 2 * repeats, ids_xt.device)
    peaks = peak_bytes(names, step, ids_xt.device)
    peaks_alone = peak_bytes(names, alone, ids_xt.device)
    rows = [
        {
            "objective": name,
            "loss": losses[name],
            **{f"step_{key}": value for key, value in steps[name].items()},
            **{f"loss_{key}": value for key, value in losses_alone[name].items()},
            "step_peak_bytes": peaks[name],
            "loss_peak_bytes": peaks_alone[name],
            "share_of_step": (losses_alone[name]["seconds"] - losses_alone[PLAIN]["seconds"])
            / steps[PLAIN]["seconds"],
        }
        for name in names
    ]
    machine = processor() if device == "cpu" else torch.cuda.get_device_name()
    given = {"windows": windows, "tokens": tokens, "layers": layers, "threads": threads}
    found = {"machine": machine, "precision": precision, **given, "rows": rows}
    out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    report(rows)


def of_model(model: LlamaForCausalLM, batch: Batch, name: str) -> Tensor:
    """The loss of a batch by a contender."""
    if name == PEER:
        correct_xt = batch.correct_xt.contiguous()
        loss: Tensor = model(batch.last_xt, labels=correct_xt, shift_labels=correct_xt).loss
        return loss
    return of_logits(model(batch.last_xt).logits, batch, name)


def of_logits(logits_xtv: Tensor, batch: Batch, name: str) -> Tensor:
    """The loss of logits; transformers' is that of torch, of logits in float32."""
    if name == PEER:
        return cross_entropy(logits_xtv.float().flatten(0, 1), batch.correct_xt.flatten())
    objective = OBJECTIVES[name]
    return objective.loss(batch, log_probabilities(logits_xtv, objective.wanted(batch)))


def take_turns(
    names: list[str], act: Callable[[str], Any], repeats: int, device: torch.device
) -> dict[str, dict[str, float]]:
    """Seconds, and the ratio to our cross entropy, of each."""
    seconds: dict[str, list[float]] = {name: [] for name in names}
    plain: dict[str, list[float]] = {name: [] for name in names}
    with progress("turns", "turn", total=repeats * len(names)) as bar:
        for turn in range(repeats):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                seconds[name].append(timed(lambda name=name: act(name), device)[0])
                plain[name].append(timed(lambda: act(PLAIN), device)[0])
                bar.update(1)
    return {
        name: {
            "seconds": statistics.median(seconds[name]),
            "ratio": statistics.median(
                ours / of_plain for ours, of_plain in zip(seconds[name], plain[name], strict=True)
            ),
        }
        for name in names
    }


def peak_bytes(names: list[str], act: Callable[[str], Any], device: torch.device) -> dict[str, int]:
    """Bytes that each takes at most, above what is held before."""
    found = {}
    for name in names:
        if device.type == "cpu":
            ctypes.CDLL(None).malloc_trim(0)  # glibc gives back what is free
        peak = PeakMemory(device)
        act(name)
        found[name] = peak.bytes()
    return found


def report(rows: list[dict[str, Any]]) -> None:
    print(f"{'':24}{'step, s':>9}{'ratio':>8}{'peak':>9}{'loss, s':>11}{'more':>8}{'peak':>9}")
    for row in rows:
        print(
            f"{row['objective']:24}{row['step_seconds']:9.3f}{row['step_ratio']:8.3f}"
            f"{row['step_peak_bytes'] / 1e6:6.0f} MB{row['loss_seconds']:11.4f}"
            f"{row['share_of_step']:8.1%}{row['loss_peak_bytes'] / 1e6:6.0f} MB"
        )


if __name__ == "__main__":
    run(objectives)
