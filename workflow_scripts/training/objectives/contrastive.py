"""The command that trains by the contrastive token loss."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ...models.loading import Running
from ...running.command import run
from ...semstat.training.contrastive import Contrastive
from ..fitting import Fit, Into, train


def contrastive(
    *,
    running: Running,
    fit: Fit,
    into: Into,
    objective: Annotated[Contrastive, Parameter(name="*")] = Contrastive(),
) -> None:
    """Train a model by cross entropy and the contrast with recent tokens."""
    train(running, fit, into, objective, "contrastive")


if __name__ == "__main__":
    run(contrastive)
