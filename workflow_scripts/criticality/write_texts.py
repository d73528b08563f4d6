"""The command that lets a model write at one sampling temperature of a sweep."""

from __future__ import annotations

from ..generation.writing_runs import Into, write_condition
from ..models.loading import Running
from ..running.command import run
from ..semstat.generation.methods import schedule
from .sweeping import SweptPrompts


def write_texts(
    *,
    running: Running,
    prompts: SweptPrompts,
    into: Into,
    sampling_temperature: float,
) -> None:
    """Let a model write at one sampling temperature of a sweep.

    Parameters
    ----------
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    write_condition(
        running,
        prompts,
        into,
        "constant",
        schedule.constant,
        sampling_temperature=sampling_temperature,
    )


if __name__ == "__main__":
    run(write_texts)
