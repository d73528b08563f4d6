"""The command that trains by unlikelihood."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ...models.loading import Running
from ...running.command import run
from ...semstat.training.unlikelihood import Unlikelihood
from ..fitting import Fit, Into, train


def unlikelihood(
    *,
    running: Running,
    fit: Fit,
    into: Into,
    objective: Annotated[Unlikelihood, Parameter(name="*")] = Unlikelihood(),
) -> None:
    """Train a model by cross entropy and the unlikelihood of tokens that were there before."""
    train(running, fit, into, objective, "unlikelihood")


if __name__ == "__main__":
    run(unlikelihood)
