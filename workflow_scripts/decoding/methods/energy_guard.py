"""The method `energy_guard`: nothing that is by so much less probable than repeating."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.decoding.energy_guard import EnergyGuard
from ..continuing import Into, Prompts, continue_by, processing


def energy_guard(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    threshold: tuple[float, ...] = (0.0,),
    periods: tuple[int, ...] = (1,),
    sampling_temperature: tuple[float, ...] = (1.0,),
) -> None:
    """Let a model continue prompts refusing steps of an energy below a threshold.

    Parameters
    ----------
    threshold : lowest energy that a step may have, p(token) − p(last token), −1 to 1.
    periods : last tokens of which the most probable one is compared with.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {
        "threshold": threshold,
        "periods": periods,
        "sampling_temperature": sampling_temperature,
    }
    continue_by(running, prompts, into, "energy_guard", processing(EnergyGuard), settings)


if __name__ == "__main__":
    run(energy_guard)
