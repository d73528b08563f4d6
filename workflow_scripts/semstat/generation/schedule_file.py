"""A schedule of sampling temperatures as a small file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

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
