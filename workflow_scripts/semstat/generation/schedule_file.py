"""A schedule of sampling temperatures as a small file, and as transformers' `generate` takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import LogitsProcessor

from ..errors import InputError
from ..provenance import Provenance
from ..tables import write_json

FORM = "semantic-statistics schedule 1"


class ScheduleFile(NamedTuple):
    """What a file of a schedule holds.

    sampling_temperature : by position, the first token written first; the last one from there on.
    solved : before smoothing, and the marginal entropy that the runs had there, nats, with whether
        it came to the target, within 0.1; as (sampling_temperature, marginal, reached).
    provenance : the model, what it was found on and how, and what that cost: tokens and seconds.
    """

    sampling_temperature: list[float]
    solved: list[tuple[float, float, bool]]
    provenance: Provenance


def write_schedule(path: Path, schedule: ScheduleFile) -> None:
    """Write a schedule as JSON, or nothing."""
    write_json(path, {"form": FORM} | schedule._asdict())


def read_schedule(path: Path, model: Mapping[str, Any] | None = None) -> ScheduleFile:
    """Read a schedule.

    Parameters
    ----------
    model : provenance of the snapshot that it is to be used on; any by default.

    Raises
    ------
    InputError
        If the file is no schedule, or is one of another model.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said.pop("form") != FORM:
            raise ValueError
        found = ScheduleFile(
            [float(value) for value in said["sampling_temperature"]],
            [(float(t), float(h), bool(reached)) for t, h, reached in said["solved"]],
            Provenance(said["provenance"]),
        )
        made_for = dict(found.provenance["model"])
        if not found.sampling_temperature or not all(
            0 <= value < float("inf") for value in found.sampling_temperature
        ):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a schedule of sampling temperatures; delete it and run snakemake again"
        ) from error
    if model is not None and _same(made_for) != _same(model):
        raise InputError(
            f"{path}: a schedule of {made_for.get('model')}, not of {model.get('model')}; a "
            f"schedule holds for the model that it was found on, so find one for this"
        )
    return found


def _same(model: Mapping[str, Any]) -> dict[str, Any]:
    """What a snapshot says of its weights: its name is the configuration's, not its own."""
    return {key: value for key, value in model.items() if key != "model"}


class ScheduledTemperature(LogitsProcessor):
    """Divides logits by the sampling temperature of the position, in transformers' `generate`.

    `generate` must be told `do_sample=True, temperature=1.0, top_k=0, top_p=1.0` beside it: where
    the schedule was found nothing was cut off, as transformers (50 tokens) and many models do. It
    must also be given an `attention_mask`, or it leaves out a prefix token that is for padding too.

    Parameters
    ----------
    sampling_temperature : by position, as in a `ScheduleFile`; all positive.
    prompt_tokens : tokens of the prompt, the prefix token counted: position 0 comes after them.

    Examples
    --------
    >>> import torch
    >>> processor = ScheduledTemperature([2.0, 0.5], prompt_tokens=3)
    >>> processor(torch.zeros((1, 3), dtype=torch.long), torch.tensor([[1.0, 3.0]]))
    tensor([[0.5000, 1.5000]])
    """

    def __init__(self, sampling_temperature: list[float], prompt_tokens: int) -> None:
        if not all(value > 0 for value in sampling_temperature):
            raise ValueError("sampling temperatures must be positive; for 0 set do_sample to False")
        self.temperature_t = torch.tensor(sampling_temperature)
        self.prompt_tokens = prompt_tokens

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """(texts, vocabulary) logits over the sampling temperature.

        Raises
        ------
        ValueError
            If there are fewer tokens than the prompt is said to have.
        """
        position = min(input_ids.shape[1] - self.prompt_tokens, len(self.temperature_t) - 1)
        if position < 0:
            raise ValueError(
                f"the text has {input_ids.shape[1]} tokens, and its prompt {self.prompt_tokens}"
            )
        return scores / float(self.temperature_t[position])
