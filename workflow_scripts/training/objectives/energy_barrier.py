"""The command that trains by the energy barrier."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ...models.loading import Running
from ...running.command import run
from ...semstat.training.energy_barrier import EnergyBarrier
from ..fitting import Fit, Into, train


def energy_barrier(
    *,
    running: Running,
    fit: Fit,
    into: Into,
    objective: Annotated[EnergyBarrier, Parameter(name="*")] = EnergyBarrier(),
) -> None:
    """Train a model by cross entropy and a price on states of low energy."""
    train(running, fit, into, objective, "energy_barrier")


if __name__ == "__main__":
    run(energy_barrier)
