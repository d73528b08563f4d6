"""How near is the energy stage to what the machine can do, and how far ahead of its peers?

The floor of a state is its operations, two for each weight it meets in the body and in each
readout and four for each position and component that its attention meets, at the best rate of a
matrix product, shapes of readout and body among them, that was measured a moment before. Ours is
`measure_windows` as the workflow runs it, all columns included; a peer is the plain use of another
library on the same tokens, in its default arithmetic, up to H of every state (of
lm-evaluation-harness: ln p of each document). All of them must agree, or the command fails. In half
precision transformers rounds logits, as ours does not, so it is also run with logits in float32.

The peers are used as one would with a Llama-like model (`model.norm`, `lm_head`); with another the
command says so and ends.

The repeats are interleaved, and a ratio is the median over them: this holds on a machine whose
speed drifts. Peak memory is above what the process holds when a repeat begins.

    pip install -r benchmarks/requirements-energies.txt
    python -m benchmarks.energies --model results/models/smollm2-135m --out energies.json \\
        --tokens 'results/tokens/model=smollm2-135m/dataset=sotu/shard=0.parquet'
"""

from __future__ import annotations

import json
import platform
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import Tensor

from workflow_scripts.models.loading import BATCH_TOKENS, Running, load
from workflow_scripts.running.command import progress, run
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.windows import Window

from .peers import EXACT, OURS, PEERS, PLAIN, Array, Peer, check_family, contenders

TOLERANCE = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}
"""Of |ΔH|: in half precision the peers round their logits, and ours does not."""


def operations(model: LayeredModel, positions: int) -> tuple[float, float]:
    """Operations of a state in the body, and in one readout."""
    weights = sum(
        m.weight.numel() for m in model.blocks.modules() if isinstance(m, torch.nn.Linear)
    )
    config = model.model.config.get_text_config()
    heads = config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    # Scores and their use: each state attends to (positions + 1) / 2 positions on average.
    attended = model.n_blocks * heads * head_dim * (positions + 1) / 2
    return 2.0 * weights + 4.0 * attended, 2.0 * model.decoder.unembedding.weight.numel()


class Rates:
    """Rates of matrix products: at the shapes of readout and body, and of a square one.

    measured : shape → operations a second, a value a measurement.
    """

    def __init__(self, model: LayeredModel, states: int) -> None:
        self.device = model.device
        self.measured: dict[str, list[float]] = {}
        weights = {
            tuple(module.weight.shape): module.weight
            for module in [*model.blocks.modules(), model.decoder.unembedding]
            if isinstance(module, torch.nn.Linear)
        }
        weights[4096, 4096] = torch.randn(4096, 4096).to(model.decoder.unembedding.weight)
        self.products = {}
        for (rows, columns), weight in weights.items():
            given = (weight, torch.randn(columns, states).to(weight))
            out = torch.empty(rows, states).to(weight)
            self.products[f"{states} x {columns} x {rows}"] = (*given, out)

    def measure(self) -> float:
        """The best rate at this moment."""
        for shape, (weight, x_ns, out) in self.products.items():
            elapsed, _ = timed(lambda w=weight, x=x_ns, o=out: torch.mm(w, x, out=o), self.device)
            operations = 2.0 * weight.numel() * x_ns.shape[1]
            self.measured.setdefault(shape, []).append(operations / elapsed)
        return max(found[-1] for found in self.measured.values())


def timed(function: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = function()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


class PeakMemory:
    """Bytes taken at most, above what was held before: of the GPU, or resident (Linux)."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated()
        else:
            Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
            self.before = self.resident("VmRSS")

    @staticmethod
    def resident(key: str) -> int:
        found = re.search(
            rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8")
        )
        return int(found[1]) * 1024 if found else 0

    def bytes(self) -> int:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated() - self.before
        return self.resident("VmHWM") - self.before


def compare(
    model: LayeredModel,
    folder: Path,
    ids_bt: Tensor,
    all_layers: bool,
    repeats: int,
    dtype: str,
    peers: tuple[str, ...],
    rates: Rates,
) -> list[dict[str, Any]]:
    """A row for each contender; ours first."""
    runs = contenders(model, folder, ids_bt, all_layers)
    runs = {name: one for name, one in runs.items() if name in (OURS, PLAIN, EXACT, *peers)}
    states = ids_bt[:, 1:].numel()
    body, readout = operations(model, ids_bt.shape[1] - 1)
    needed = states * (body + readout * (model.n_blocks + 1 if all_layers else 1))
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    of_floor: dict[str, list[float]] = {name: [] for name in runs}
    peak: dict[str, int] = {}
    found: dict[str, Array] = {}
    bar = progress("all layers" if all_layers else "final layer", "run", (repeats + 1) * len(runs))
    for repeat in range(repeats + 1):  # the first is to warm up, and to see the memory
        for name, one in runs.items():
            rate = rates.measure()
            memory = PeakMemory(model.device)
            elapsed, found[name] = timed(one, model.device)
            if repeat:
                seconds[name].append(elapsed)
                of_floor[name].append(needed / rate / elapsed)
            peak.setdefault(name, memory.bytes())
            bar.update()
    bar.close()
    exact = found[PLAIN]
    rows = []
    for name in runs:
        ratios = [t / ours for t, ours in zip(seconds[name], seconds[OURS], strict=True)]
        row: dict[str, Any] = {
            "contender": name,
            "layers": "all" if all_layers else "final",
            "ours_faster": statistics.median(ratios),
            "ours_faster_min": min(ratios),
            "ours_faster_max": max(ratios),
            "states_per_second": states / statistics.median(seconds[name]),
            "of_the_floor": statistics.median(of_floor[name]),
            "peak_bytes": peak[name],
        }
        if found[name].shape == exact.shape:
            row["max_delta_h"] = float(np.abs(found[name] - exact).max())
            if not row["max_delta_h"] <= TOLERANCE[dtype]:
                raise SystemExit(
                    f"{name} differs from transformers in H by {row['max_delta_h']:.1e}"
                )
        else:
            row["log_p_of_documents"] = found[name].tolist()
        rows.append(row)
    return rows


def check_log_likelihoods(model: LayeredModel, ids_bt: Tensor, rows: list[dict[str, Any]]) -> None:
    """lm-evaluation-harness gives no H: its ln p(correct), summed over a document, must be ours."""
    windows = [Window(doc, 0, row.int().numpy(), 0) for doc, row in enumerate(ids_bt.cpu())]
    final = model.n_blocks
    tokens = BATCH_TOKENS[model.device.type]
    pieces = [piece[final] for piece in measure_windows(model, windows, [final], tokens)]
    log_p = np.concatenate([piece["log_p_correct"] for piece in pieces]).reshape(len(ids_bt), -1)
    exact_d = log_p.sum(axis=1, dtype=np.float64)
    for row in rows:
        if "log_p_of_documents" in row and not np.allclose(
            row["log_p_of_documents"], exact_d, rtol=1e-4
        ):
            raise SystemExit(
                f"{row['contender']} differs in ln p: {row['log_p_of_documents']}, {exact_d}"
            )


def read_windows(path: Path, windows: int, positions: int) -> Tensor:
    """(windows, positions + 1) tokens of a shard's documents, one after the other."""
    ids = np.concatenate(pq.read_table(path)["tokens"].to_numpy())
    needed = windows * (positions + 1)
    if len(ids) < needed:
        raise SystemExit(f"{path}: {len(ids)} tokens; --windows x --positions needs {needed}")
    return torch.from_numpy(ids[:needed].astype(np.int64)).view(windows, positions + 1)


def energies(
    *,
    running: Running,
    tokens: Path,
    windows: int = 2,
    positions: int = 512,
    repeats: int = 5,
    peers: tuple[Peer, ...] = PEERS,
    out: Path | None = None,
) -> None:
    """Compare the energy stage with what the machine can do, and with its peers.

    Parameters
    ----------
    tokens : Parquet file of one shard.
    windows : windows to measure.
    positions : positions of each window.
    repeats : repeats of each measurement.
    peers : whom to compare with besides transformers, if installed.
    out : JSON file of the results.
    """
    model, facts = load(running, positions, "--positions")
    check_family(model)
    ids_bt = read_windows(tokens, windows, positions).to(model.device)
    facts |= {"model": running.called, "processor": processor(), "torch": torch.__version__}
    facts |= {"threads": torch.get_num_threads(), "windows": windows}
    print(", ".join(f"{key} {value}" for key, value in facts.items()))

    with torch.inference_mode():
        rates = Rates(model, ids_bt[:, 1:].numel())
        rows = []
        for all_layers in (False, True):
            rows += compare(
                model, running.model, ids_bt, all_layers, repeats, running.dtype, peers, rates
            )
        check_log_likelihoods(model, ids_bt, rows)
    for shape, found in rates.measured.items():
        middle, best = statistics.median(found) / 1e9, max(found) / 1e9
        print(f"matrix product {shape:22} {middle:8.0f} GFLOP/s, at best {best:.0f}")
    report(rows)
    if out:
        content = {"facts": facts, "rates": rates.measured, "rows": rows}
        out.write_text(json.dumps(content, indent=1), encoding="utf-8")


def processor() -> str:
    """Name of the CPU."""
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found[1] if found else platform.processor()


def report(rows: list[dict[str, Any]]) -> None:
    print(
        f"{'layers':7}{'':16}{'ours is faster by':>20}{'states/s':>10}{'of floor':>10}{'peak':>10}"
        "  max |ΔH|"
    )
    for row in rows:
        ratio = "{ours_faster:.2f} [{ours_faster_min:.2f}, {ours_faster_max:.2f}]".format(**row)
        delta = f"{row['max_delta_h']:.0e}" if "max_delta_h" in row else "(ln p agrees)"
        print(
            f"{row['layers']:7}{row['contender']:16}{ratio:>20}{row['states_per_second']:10.0f}"
            f"{row['of_the_floor']:10.2f}{row['peak_bytes'] / 1e6:7.0f} MB  {delta}"
        )


if __name__ == "__main__":
    run(energies)
