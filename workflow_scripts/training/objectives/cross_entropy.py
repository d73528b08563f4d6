"""The command that trains by cross entropy alone."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ...models.loading import Running
from ...running.command import run
from ...semstat.training.cross_entropy import CrossEntropy
from ..fitting import Fit, Into, train


def cross_entropy(
    *,
    running: Running,
    fit: Fit,
    into: Into,
    objective: Annotated[CrossEntropy, Parameter(name="*")] = CrossEntropy(),
) -> None:
    """Train a model to predict the next token: the plain cross entropy."""
    train(running, fit, into, objective, "cross_entropy")


if __name__ == "__main__":
    run(cross_entropy)
