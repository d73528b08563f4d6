"""The method `online`: entropy held while a text is written."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.generation.methods.online import Online
from ..writing_runs import Into, Prompts, write_condition


def online(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    hold: float,
    batch: int = 1,
    proportion: float = 0.02,
    integral: float = 0.005,
) -> None:
    """Let a model write under proportional–integral control of the entropy that it is drawn from.

    Parameters
    ----------
    hold : entropy to hold, nats: of each text by itself, or with `batch` the marginal one.
    batch : runs of a prompt that are controlled together.
    proportion, integral : gains, 1/nat.
    """
    write_condition(
        running,
        prompts,
        into,
        "online",
        Online,
        hold=hold,
        batch=batch,
        proportion=proportion,
        integral=integral,
    )


if __name__ == "__main__":
    run(online)
