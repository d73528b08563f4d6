"""Would bfloat16 matrix units make the readout on a CPU faster, and what would that do to H?

The readout tried here, of a state x after the final norm, by a product of bfloat16 numbers that
accumulates in float32:

- x = x₁ + x₂ + r: x₁ is x in bfloat16; x₂ is the rest of the `--columns` components that carry most
  of it, in bfloat16, as further columns of the product. (At layers 8 to 30 of SmolLM2-135M 16 of
  its 576 components carry nine tenths of what rounding loses: the outlier dimensions of the
  residual stream.)
- The logits of the last token, the correct one and the `--head` highest are computed anew from x in
  float32.

The logit of another token v is then too low by δ(v) = w(v)·r. With p the probabilities that are
found, exact Z is 1 + Σ p(v) (exp δ(v) − 1) times the Z that is found, and by this factor H is found
too large:

    |ΔH| = |H| |Σ p(v) (exp δ(v) − 1)| ≤ |H| Σ p(v) (exp(‖r‖ ‖w(v)‖) − 1),

the sums over tokens outside the head (Cauchy and Schwarz; to all orders; exact weights, as bfloat16
snapshots have them: the model's are rounded to bfloat16 first). The bound is evaluated for each
state and the command fails if an error is above it. Products of bfloat16 numbers are exact in
float32, so the errors are the same whether a matrix unit or ordinary arithmetic computes them; the
speed is not.

    python -m benchmarks.mixed_precision --model results/models/smollm2-135m --out mixed.json \\
        --tokens 'results/tokens/model=smollm2-135m/dataset=sotu/shard=0.parquet'
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workflow_scripts.models.loading import Running, load
from workflow_scripts.running.command import run
from workflow_scripts.semstat.models.decoder import LayeredModel

from .energies import read_windows

ROUNDING = 2e-6
"""Of H in float32, on top of the bound."""


def rounded(x: Tensor) -> Tensor:
    return x.bfloat16().float()


def split(x_sn: Tensor, columns: int) -> tuple[Tensor, Tensor, Tensor]:
    """x₁ (states, n′), x₂ (states, columns), and which components the latter are."""
    x1_sn = rounded(x_sn)
    rest_sn = x_sn - x1_sn
    largest = rest_sn.square().sum(dim=0).topk(columns).indices
    return x1_sn, rounded(rest_sn[:, largest]), largest


def errors(
    weight_vn: Tensor, x_sn: Tensor, last_s: Tensor, correct_s: Tensor, columns: int, head: int
) -> tuple[Tensor, Tensor]:
    """|ΔH| of each state against float64, and its bound."""
    exact_sv = x_sn.double() @ weight_vn.double().T
    wanted_s2 = torch.stack([correct_s, last_s], dim=1)
    exact_s2 = exact_sv.gather(1, wanted_s2)

    def energy(log_normaliser_s: Tensor) -> Tensor:
        p_s2 = (exact_s2 - log_normaliser_s[:, None]).exp()
        return p_s2[:, 0] - p_s2[:, 1]

    x1_sn, x2_sk, largest = split(x_sn, columns)
    mixed_sv = x1_sn @ weight_vn.T + x2_sk @ weight_vn[:, largest].T
    head_sh = torch.cat([mixed_sv.topk(head).indices, wanted_s2], dim=1) if head else wanted_s2
    mixed_sv = mixed_sv.double().scatter(1, head_sh, exact_sv.gather(1, head_sh))
    energy_s = energy(exact_sv.logsumexp(dim=1))
    found_s = (energy(mixed_sv.logsumexp(dim=1)) - energy_s).abs()

    rest_sn = x_sn - x1_sn
    rest_sn[:, largest] -= x2_sk
    norm_v = torch.linalg.vector_norm(weight_vn.double(), dim=1)
    lost_s = torch.linalg.vector_norm(rest_sn.double(), dim=1)
    log_p_sv = mixed_sv.log_softmax(dim=1)
    # By logarithms: the exponential of what is lost alone may be infinite, and times 0 NaN.
    off_sv = (log_p_sv + lost_s[:, None] * norm_v).exp() - log_p_sv.exp()
    off_s = off_sv.scatter(1, head_sh, 0.0).sum(dim=1)
    # Nothing is known of an H that has become 0 where this is infinite.
    return found_s, (energy_s.abs() * off_s).nan_to_num(torch.inf, torch.inf) + ROUNDING


def measure_errors(
    model: LayeredModel, ids_bt: Tensor, columns: int, head: int
) -> list[dict[str, Any]]:
    """A row a layer."""
    decoder = model.decoder
    pairs: dict[int, list[tuple[Tensor, Tensor]]] = {n: [] for n in range(model.n_blocks + 1)}
    for ids_t in ids_bt:
        hidden = model.hidden_states(ids_t[None, :-1], list(pairs))
        for layer, pairs_of_layer in pairs.items():
            x_tn, weight_vn = decoder.normed(hidden[layer][0]), decoder.unembedding.weight
            pairs_of_layer.append(errors(weight_vn, x_tn, ids_t[:-1], ids_t[1:], columns, head))
    rows = []
    for layer, pairs_of_layer in pairs.items():
        found_s, bound_s = map(torch.cat, zip(*pairs_of_layer, strict=True))
        if not (found_s <= bound_s).all():
            raise SystemExit(f"layer {layer}: an error of H is above its bound")
        row = {"layer": layer, "states": len(found_s), "max": float(found_s.max())}
        row |= {"mean": float(found_s.mean()), "median_bound": float(bound_s.median())}
        row["max_bound"] = float(bound_s.max())
        rows.append(row)
        print(
            f"layer {layer:3}: {len(found_s)} states, |ΔH| max {row['max']:.1e}, "
            f"mean {row['mean']:.1e}, bound: median {row['median_bound']:.1e}, "
            f"max {row['max_bound']:.1e}",
            flush=True,
        )
    return rows


def measure_speed(weight_vn: Tensor, columns: int, states: int = 512) -> list[float]:
    """Seconds of the product in float32 over those in bfloat16 with its further columns."""
    width = weight_vn.shape[1]
    x_sn = torch.randn(states, width)
    half_vn = torch.cat([weight_vn, weight_vn[:, :columns]], dim=1).bfloat16()
    half_sn = torch.cat([x_sn, x_sn[:, :columns]], dim=1).bfloat16()
    ratios = []
    for _ in range(5):
        seconds = []
        for x, weight in ((x_sn, weight_vn), (half_sn, half_vn)):
            start = time.perf_counter()
            torch.mm(x, weight.T)
            seconds.append(time.perf_counter() - start)
        ratios.append(seconds[0] / seconds[1])
    return ratios


def mixed_precision(
    *,
    model: Path,
    tokens: Path,
    windows: int = 13,
    positions: int = 256,
    columns: int = 96,
    head: int = 16,
    out: Path | None = None,
    threads: int | None = None,
) -> None:
    """Measure how fast a readout by bfloat16 products is, and how far off.

    Parameters
    ----------
    model : snapshot of the model.
    tokens : Parquet file of one shard.
    windows : windows to measure.
    positions : positions of each window.
    columns : components of a state whose rest gets a column of its own.
    head : highest logits that are computed anew.
    out : JSON file of the results.
    threads : CPU threads (default: all).
    """
    running = Running(model=model, device="cpu", threads=threads)
    layered, _ = load(running, positions, "--positions")
    weight = layered.decoder.unembedding.weight
    weight.copy_(rounded(weight))
    ids_bt = read_windows(tokens, windows, positions)
    with torch.inference_mode():
        ratios = measure_speed(weight, columns)
        print(f"bfloat16 product: {statistics.median(ratios):.2f} times as fast as float32 here")
        rows = measure_errors(layered, ids_bt, columns, head)
    if out:
        out.write_text(json.dumps({"ratios": ratios, "layers": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    run(mixed_precision)
