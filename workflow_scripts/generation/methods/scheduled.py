"""The method `scheduled`: a sampling temperature for each position, from a file."""

from __future__ import annotations

from pathlib import Path

import torch

from ...models.loading import Running
from ...running.command import run
from ...semstat.generation.methods.schedule import Schedule
from ...semstat.generation.schedule_file import read_schedule
from ..writing_runs import Into, Prompts, write_condition


def scheduled(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    schedule: Path,
) -> None:
    """Let a model write by a schedule of sampling temperatures that was found before.

    Parameters
    ----------
    schedule : file of the schedule, of the same model.
    """
    found = read_schedule(schedule, running.snapshot())
    temperature_t = torch.tensor(found.sampling_temperature)
    write_condition(
        running,
        prompts,
        into,
        "scheduled",
        lambda **_settings: Schedule(temperature_t),
        schedule=found.provenance,
    )


if __name__ == "__main__":
    run(scheduled)
