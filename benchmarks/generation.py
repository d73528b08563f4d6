"""How near is the writing of runs to what the machine can do, and how far ahead of transformers?

Ours is a step of `Runs` as the workflow takes it: a token of each run, drawn, with entropies of
the runs and of their mean, their bounds and errors. Beside it transformers' `generate` on the same
batch, which does nothing but draw tokens, and `generate` with a logits processor that computes both
entropies in the plain way; their entropies at the first token must agree with ours, or the command
fails. Reading the prompts is left out of all three: ours reads each once, `generate` once a run.

The floor of a step is the larger of two times: that of its operations, two for each weight and run
and four for each position, run and component that attention meets, at the best rate of a wide
matrix product, with packed weights or without; and that of its bytes, the weights once and the keys
and values of all runs, at the rate of a copy. Both rates were measured a moment before.

The repeats are interleaved, and a ratio is the median over them: this holds on a machine whose
speed drifts. Shares of a step are from repeats of their own, since on a GPU asking the time of each
part makes it wait. Peak memory is above what the process holds when a repeat begins, with keys and
values and without.

    python -m benchmarks.generation --model results/models/smollm2-135m --out generation.json \\
        --tokens 'results/tokens/model=smollm2-135m/dataset=sotu/shard=0.parquet'
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria
from transformers.generation import StoppingCriteriaList

from workflow_scripts.models.loading import Running, load
from workflow_scripts.running.command import progress, run
from workflow_scripts.semstat.generation import runs as engine
from workflow_scripts.semstat.generation.methods.schedule import constant
from workflow_scripts.semstat.generation.runs import Runs, draw_uniform_runs
from workflow_scripts.semstat.models.in_place import bytes_of_a_text
from workflow_scripts.semstat.models.packed import PackedLinear, pack
from workflow_scripts.semstat.models.replay import Reader
from workflow_scripts.tokens.shards import read_beginnings

from .energies import PeakMemory, Rates, operations, processor, timed

OURS, GENERATE, WITH_ENTROPIES = "ours", "generate", "generate + entropies"

PARTS = ("look_at", "soften", "draw", "measure_marginal")
"""Of a step, beside the model itself."""

STATISTICS = ("look_at", "soften", "measure_marginal")
"""Those without which a token could be drawn, but for the exponentials of `soften`."""

TOLERANCE = {"float32": 1e-3, "float16": 5e-2, "bfloat16": 0.3}
"""Nats: in half precision transformers rounds its logits, and ours does not."""

WIDE = {"cpu": 512, "cuda": 4096}
"""Columns of the matrix products whose rate the floor takes."""


class Clock(StoppingCriteria):
    """Seconds from the end of the first step to that of the last, and how many steps that were."""

    def __init__(self, device: torch.device, steps: int) -> None:
        self.device, self.steps, self.seen = device, steps, 0

    def tick(self) -> None:
        self.seen += 1
        if self.seen in (1, self.steps):
            if self.device.type == "cuda":
                torch.cuda.synchronize()
            now = time.perf_counter()
            self.seconds = now - self.start if self.seen > 1 else 0.0
            self.start = now

    def __call__(self, input_ids: Tensor, _scores: Any, **_kwargs: Any) -> Any:
        self.tick()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


class Entropies(LogitsProcessor):
    """The marginal and the mean conditional entropy of each prompt's runs, the plain way."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.marginal: list[Tensor] = []
        self.conditional: list[Tensor] = []

    def __call__(self, _input_ids: Tensor, scores: Tensor) -> Tensor:
        p_drv = torch.softmax(scores, dim=-1).view(-1, self.runs, scores.shape[1])
        self.marginal.append(torch.special.entr(p_drv.mean(dim=1)).sum(dim=-1))
        self.conditional.append(torch.special.entr(p_drv).sum(dim=-1).mean(dim=1))
        return scores


class Batch:
    """Runs of some prompts, to be written by each contender.

    Parameters
    ----------
    peer : the same model as transformers has it.
    prompt_dt : (prompts, tokens) token ids.
    runs : of each prompt.
    """

    def __init__(self, reader: Reader, peer: Any, prompt_dt: Tensor, runs: int, steps: int) -> None:
        self.reader, self.peer, self.prompt_dt = reader, peer, prompt_dt
        self.runs, self.steps = runs, steps
        self.rows = len(prompt_dt) * runs
        self.device = prompt_dt.device

    def uniform_drt(self, steps: int) -> Tensor:
        each = [
            draw_uniform_runs(0, d, range(self.runs), steps) for d in range(len(self.prompt_dt))
        ]
        return torch.from_numpy(np.array(each)).to(self.device)

    def ours(self, steps: int | None = None) -> tuple[float, list[Tensor]]:
        """Seconds a step, and both entropies of the first."""
        steps = steps or self.steps
        clock = Clock(self.device, steps)
        runs = Runs(self.reader, self.prompt_dt, self.uniform_drt(steps), constant(1.0))
        first = runs.step()
        clock.tick()
        for _ in range(steps - 1):
            runs.step()
            clock.tick()
        found = [first.marginal.entropy_d, first.marginal.conditional_d]
        return clock.seconds / (steps - 1), found

    def generate(self, entropies: bool) -> tuple[float, list[Tensor]]:
        """As `ours`; without entropies there are none."""
        clock, found = Clock(self.device, self.steps), Entropies(self.runs)
        ids_xt = self.prompt_dt.repeat_interleave(self.runs, dim=0)
        options: dict[str, Any] = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
        written = self.peer.generate(
            ids_xt,
            attention_mask=torch.ones_like(ids_xt),
            max_new_tokens=self.steps,
            eos_token_id=None,
            pad_token_id=0,
            use_cache=True,
            stopping_criteria=StoppingCriteriaList([clock]),
            logits_processor=LogitsProcessorList([found] if entropies else []),
            **options,
        )
        if clock.seen != self.steps or written.shape[1] != ids_xt.shape[1] + self.steps:
            raise SystemExit(f"generate took {clock.seen} steps, not {self.steps}")
        return clock.seconds / (self.steps - 1), [
            f[0] for f in (found.marginal, found.conditional) if f
        ]

    def contenders(self) -> dict[str, Callable[[], tuple[float, list[Tensor]]]]:
        return {
            OURS: self.ours,
            GENERATE: lambda: self.generate(entropies=False),
            WITH_ENTROPIES: lambda: self.generate(entropies=True),
        }

    def needed(self) -> tuple[float, float]:
        """Operations and bytes of a step, at the middle one of them."""
        model = self.reader.layered
        positions = self.prompt_dt.shape[1] + self.steps // 2
        # Each token meets all positions before it, `operations` assumes half of them.
        body, readout = operations(model, 2 * positions)
        weights = sum(
            module.weight.nbytes
            for module in [*model.blocks.modules(), self.reader.decoder.unembedding]
            if isinstance(module, torch.nn.Linear)
        )
        remembered = self.rows * bytes_of_a_text(self.reader, positions)
        return self.rows * (body + readout), float(weights + remembered)


def copy_rate(device: torch.device) -> float:
    """Bytes a second that a copy reads and writes."""
    held = torch.ones(2**26, device=device)
    there = torch.empty_like(held)
    times = [timed(lambda: there.copy_(held), device)[0] for _ in range(3)]
    return 2 * held.nbytes / min(times)


def packed_rate(device: torch.device) -> float:
    """Operations a second of a wide product with packed weights; 0 on a GPU, which has none."""
    if device.type == "cuda":
        return 0.0
    linear = torch.nn.Linear(2048, 2048, bias=False).requires_grad_(False)
    pack(linear)
    if not isinstance(linear, PackedLinear):
        return 0.0
    x_sn = torch.randn(WIDE["cpu"], 2048)
    times = [timed(lambda: linear(x_sn), device)[0] for _ in range(3)]
    return 2.0 * linear.weight.numel() * len(x_sn) / min(times)


def compare(batch: Batch, rates: Rates, repeats: int, dtype: str) -> list[dict[str, Any]]:
    """A row for each contender; ours first."""
    contenders = batch.contenders()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    of_floor: dict[str, list[float]] = {name: [] for name in contenders}
    first: dict[str, list[Tensor]] = {}
    operations_needed, bytes_needed = batch.needed()
    floors = []
    bar = progress(f"{batch.rows} runs", "run", (repeats + 1) * len(contenders))
    for repeat in range(repeats + 1):  # the first is to warm up
        for name, one in contenders.items():
            rate = max(rates.measure(), packed_rate(batch.device))
            by_rate = operations_needed / rate, bytes_needed / copy_rate(batch.device)
            each, first[name] = one()
            if repeat:
                seconds[name].append(each)
                of_floor[name].append(max(by_rate) / each)
                floors.append(by_rate)
            bar.update()
    bar.close()
    for ours, theirs in zip(first[OURS], first[WITH_ENTROPIES], strict=True):
        if not torch.allclose(ours.float(), theirs.float(), atol=TOLERANCE[dtype]):
            raise SystemExit(f"entropies of the first token differ: {ours}, {theirs}")
    rows = []
    for name in contenders:
        ratios = [t / ours for t, ours in zip(seconds[name], seconds[OURS], strict=True)]
        rows.append(
            {
                "contender": name,
                "runs": batch.rows,
                "ms_a_step": 1e3 * statistics.median(seconds[name]),
                "tokens_per_second": batch.rows / statistics.median(seconds[name]),
                "ours_faster": statistics.median(ratios),
                "ours_faster_min": min(ratios),
                "ours_faster_max": max(ratios),
                "of_the_floor": statistics.median(of_floor[name]),
                "floor_ms": [1e3 * statistics.median(each) for each in zip(*floors, strict=True)],
            }
        )
    return rows


@contextmanager
def timed_parts(device: torch.device) -> Iterator[dict[str, float]]:
    """Seconds that the parts of a step take beside the model."""
    found = dict.fromkeys(PARTS, 0.0)
    genuine = {name: getattr(engine, name) for name in PARTS}

    def watched(name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            elapsed, result = timed(lambda: genuine[name](*args, **kwargs), device)
            found[name] += elapsed
            return result

        return call

    for name in PARTS:
        setattr(engine, name, watched(name))
    try:
        yield found
    finally:
        for name in PARTS:
            setattr(engine, name, genuine[name])


def shares(batch: Batch, repeats: int) -> dict[str, float]:
    """Shares of a step that its parts take; medians over repeats."""
    each = []
    for _ in range(repeats):
        with timed_parts(batch.device) as found:
            seconds, _ = batch.ours()
        each.append({name: t / batch.steps / seconds for name, t in found.items()})
    middle = {name: statistics.median(one[name] for one in each) for name in PARTS}
    return middle | {"statistics": sum(middle[name] for name in STATISTICS)}


def memory(batch: Batch, lengths: tuple[int, ...]) -> list[dict[str, Any]]:
    """Peak memory of runs of several lengths."""
    rows = []
    for steps in lengths:
        peak = PeakMemory(batch.device)
        batch.ours(steps)
        positions = batch.prompt_dt.shape[1] + steps
        remembered = batch.rows * bytes_of_a_text(batch.reader, positions)
        rows.append({"tokens": steps, "peak_bytes": peak.bytes(), "keys_and_values": remembered})
    return rows


def generation(
    *,
    running: Running,
    tokens: Path,
    prompts: tuple[int, ...] = (1, 2),
    prompt_tokens: int = 32,
    runs: int = 30,
    steps: int = 32,
    repeats: int = 5,
    lengths: tuple[int, ...] = (64, 256),
    out: Path | None = None,
) -> None:
    """Compare the writing of runs with what the machine can do, and with transformers' generate.

    Parameters
    ----------
    tokens : Parquet file of one shard.
    prompts : prompts of each batch that is measured.
    prompt_tokens : tokens of each, the prefix token not counted.
    runs : of each prompt.
    steps : tokens of each text; all but the first are timed.
    repeats : repeats of each measurement.
    lengths : tokens of each text that memory is measured at.
    out : JSON file of the results.
    """
    positions = 1 + prompt_tokens + max(steps, *lengths)
    model, facts = load(running, positions, "--steps, --lengths")
    peer = load(running, positions, "--steps, --lengths")[0].model
    pack(model.model)
    taken = read_beginnings([tokens], max(prompts), prompt_tokens, "lower --prompts")
    prompt_dt = torch.from_numpy(taken.ids_dt).to(model.device)
    facts |= {"model": running.called, "processor": processor(), "torch": torch.__version__}
    facts |= {"threads": torch.get_num_threads(), "steps": steps, "prompt_tokens": prompt_tokens}
    print(", ".join(f"{key} {value}" for key, value in facts.items()))
    measured: dict[str, Any] = {"facts": facts, "rows": [], "shares": {}}
    with torch.no_grad():
        reader = Reader(model, model.n_blocks)
        # Before anything else: what was freed since would be taken again, and not be seen.
        measured["memory"] = memory(Batch(reader, peer, prompt_dt[:1], runs, steps), lengths)
        rates = Rates(model, WIDE[model.device.type])
        for number in prompts:
            batch = Batch(reader, peer, prompt_dt[:number], runs, steps)
            rows = compare(batch, rates, repeats, running.dtype)
            measured["rows"] += rows
            measured["shares"][batch.rows] = shares(batch, repeats)
            report(rows, measured["shares"][batch.rows])
    for row in measured["memory"]:
        beyond = row["peak_bytes"] - row["keys_and_values"]
        print(
            f"{runs} runs of {row['tokens']:4} tokens: peak {row['peak_bytes'] / 1e6:.0f} MB, "
            f"beyond keys and values {beyond / 1e6:.0f} MB"
        )
    if out:
        out.write_text(json.dumps(measured, indent=1), encoding="utf-8")


def report(rows: list[dict[str, Any]], share: dict[str, float]) -> None:
    by_operations, by_bytes = rows[0]["floor_ms"]
    print(f"floor: {by_operations:.1f} ms by operations, {by_bytes:.1f} ms by bytes")
    print(
        f"{'runs':6}{'':22}{'ours is faster by':>20}{'ms a step':>11}{'tokens/s':>10}"
        f"{'of floor':>10}"
    )
    for row in rows:
        ratio = "{ours_faster:.2f} [{ours_faster_min:.2f}, {ours_faster_max:.2f}]".format(**row)
        print(
            f"{row['runs']:<6}{row['contender']:22}{ratio:>20}{row['ms_a_step']:11.1f}"
            f"{row['tokens_per_second']:10.0f}{row['of_the_floor']:10.2f}"
        )
    print("of a step: " + ", ".join(f"{name} {part:.1%}" for name, part in share.items()))


if __name__ == "__main__":
    run(generation)
