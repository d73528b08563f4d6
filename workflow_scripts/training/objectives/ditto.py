"""The command that trains by DITTO."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ...models.loading import Running
from ...running.command import run
from ...semstat.training.ditto import Ditto
from ..fitting import Fit, Into, train


def ditto(
    *,
    running: Running,
    fit: Fit,
    into: Into,
    objective: Annotated[Ditto, Parameter(name="*")] = Ditto(),
) -> None:
    """Train a model by cross entropy, and on repeated phrases to repeat less."""
    train(running, fit, into, objective, "ditto")


if __name__ == "__main__":
    run(ditto)
