"""Runs as one would write them without any machinery: one by one, all anew for each token."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from workflow_scripts.semstat.generation.methods.schedule import constant
from workflow_scripts.semstat.generation.runs import (
    Method,
    Runs,
    Step,
    draw_uniform_runs,
    write_runs,
)
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Moment, Reader

Array = NDArray[np.float64]


def plain_run(
    model: Any, prompt: list[int], temperature_t: Array, uniform_t: Array
) -> tuple[list[int], list[Array]]:
    """Tokens of a run, and the float64 logits of each step, from a whole pass for each token."""
    ids, logits = list(prompt), []
    for temperature, u in zip(temperature_t, uniform_t, strict=True):
        with torch.inference_mode():
            logits_v = model(torch.tensor([ids]), use_cache=False).logits[0, -1].double().numpy()
        logits.append(logits_v)
        ids.append(inverse(softmax(logits_v / temperature), u))
    return ids[len(prompt) :], logits


def softmax(z_v: Array) -> Array:
    weight_v = np.exp(z_v - z_v.max())
    return weight_v / weight_v.sum()


def inverse(p_v: Array, u: float) -> int:
    """The first token at which the cumulative distribution exceeds u."""
    cumulative = 0.0
    for token, p in enumerate(p_v):
        cumulative += p
        if cumulative > u:
            return token
    return int(np.flatnonzero(p_v)[-1])


def entropy(p_v: Array) -> float:
    return float(-sum(p * np.log(p) for p in p_v if p > 0))


def written(
    model: Any,
    prompts: list[list[int]],
    runs: range,
    method: Method | None = None,
    steps: int = 12,
    docs: tuple[int, ...] = (3, 4),
    **options: Any,
) -> list[Step]:
    """Runs of the prompts of some documents, with the model's own reader."""
    layered = LayeredModel(model)
    reader = Reader(layered, layered.n_blocks)
    uniform = np.array([draw_uniform_runs(0, doc, runs, steps) for doc in docs[: len(prompts)]])
    method = method or constant(1.0)
    return write_runs(
        Runs(reader, torch.tensor(prompts), torch.from_numpy(uniform), method, **options)
    )


def tokens_of(steps: list[Step]) -> Any:
    """(prompts, runs, steps)"""
    return torch.stack([step.token for step in steps], dim=2)


class _Layered(NamedTuple):
    device: torch.device


class Told:
    """A reader that has no model: it is told the logits, (prompts, runs, vocabulary) a step."""

    def __init__(self, logits_tdrv: list[torch.Tensor]) -> None:
        self.told = iter(logits_tdrv)
        self.layered = _Layered(torch.device("cpu"))

    def start(self, ids_xt: torch.Tensor) -> tuple[Moment, list[torch.Tensor]]:
        nothing = torch.zeros(len(ids_xt), 1)
        return Moment(DynamicCache(), DynamicCache(), [], nothing, nothing), []

    def read_in_place(self, token_x1: torch.Tensor, _caches: Any) -> torch.Tensor:
        return token_x1

    def logits(self, _top_xn: torch.Tensor) -> torch.Tensor:
        return next(self.told).flatten(0, 1).clone()


def told_runs(
    logits_tdrv: list[torch.Tensor], uniform_drt: torch.Tensor, method: Method, **options: Any
) -> Runs:
    """Runs of made-up logits; the last token of each prompt is 0."""
    prompt_dt = torch.zeros((uniform_drt.shape[0], 1), dtype=torch.long)
    reader: Any = Told(logits_tdrv)
    return Runs(reader, prompt_dt, uniform_drt, method, **options)
