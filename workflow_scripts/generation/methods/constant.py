"""The method `constant`: one sampling temperature."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.generation.methods import schedule
from ..writing_runs import Into, Prompts, write_condition


def constant(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    sampling_temperature: float = 1.0,
) -> None:
    """Let a model write at one sampling temperature.

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
    run(constant)
