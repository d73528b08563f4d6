"""The measures of attention by plain loops, from the maps that transformers gives out in eager."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from workflow_scripts.semstat.models.windows import Window


def plain_rows(model: Any, windows: Iterable[Window], layer: int) -> dict[str, list[float]]:
    """Columns of one layer above 0: one window after the other, no batch, in float64."""
    model = copy.deepcopy(model).double()
    model.set_attn_implementation("eager")
    states = []

    def keep(_module: Any, _args: Any, output: Any) -> None:
        states.append(output[0] if isinstance(output, tuple) else output)

    blocks = next(part for part in model.modules() if isinstance(part, torch.nn.ModuleList))
    hook = blocks[layer - 1].register_forward_hook(keep)
    rows: list[dict[str, float]] = []
    for window in windows:
        ids = torch.tensor(window.tokens_t[None, :-1], dtype=torch.long)
        with torch.inference_mode():
            maps = model(ids, output_attentions=True, use_cache=False).attentions
        x_tn = states.pop()[0].numpy()
        of_window = plain_states(x_tn[1:])
        for t in range(window.first, window.positions):
            weight_hk = maps[layer - 1][0, :, t, : t + 1].numpy()
            norm = {"relative_norm": np.linalg.norm(x_tn[t]) / np.linalg.norm(x_tn[0])}
            rows.append(plain_row(weight_hk, window.tokens_t, t) | of_window | norm)
    hook.remove()
    return {name: [row[name] for row in rows] for name in rows[0]}


def plain_row(weight_hk: np.ndarray, tokens_t: np.ndarray, t: int) -> dict[str, float]:
    reached = int((weight_hk > 0).any(axis=0).sum())
    entropies = [-sum(a * math.log(a) for a in row if a > 0) for row in weight_hk]
    copies = [j for j in range(1, t + 1) if tokens_t[j - 1] == tokens_t[t]]
    mean_k = weight_hk.mean(axis=0)
    return {
        "row_entropy": np.mean(entropies) / math.log(reached) if reached > 1 else math.nan,
        "sink": mean_k[0],
        "itself": mean_k[t],
        "before": mean_k[t - 1] if t else math.nan,
        "induction": sum(mean_k[j] for j in copies) if copies else math.nan,
        "unspent": math.nan,
    }


def plain_states(x_tn: np.ndarray) -> dict[str, float]:
    if len(x_tn) < 2:
        return dict.fromkeys(("stable_rank", "rank_residual", "mean_cosine"), math.nan)

    def size(y_tn: np.ndarray) -> float:
        return math.sqrt(np.linalg.norm(y_tn, 1) * np.linalg.norm(y_tn, np.inf))

    cosines = [
        a @ b / np.linalg.norm(a) / np.linalg.norm(b) for i, a in enumerate(x_tn) for b in x_tn[:i]
    ]
    return {
        "stable_rank": np.linalg.norm(x_tn) ** 2 / np.linalg.norm(x_tn, 2) ** 2,
        "rank_residual": size(x_tn - x_tn.mean(axis=0)) / size(x_tn),
        "mean_cosine": float(np.mean(cosines)),
    }
