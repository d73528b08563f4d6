"""The method `sampling`: draws at a sampling temperature."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.decoding.processed import unchanged
from ..continuing import Into, Prompts, continue_by, processing


def sampling(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    sampling_temperature: tuple[float, ...] = (1.0,),
) -> None:
    """Let a model continue prompts by draws from its own distribution.

    Parameters
    ----------
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {"sampling_temperature": sampling_temperature}
    continue_by(running, prompts, into, "sampling", processing(lambda: unchanged), settings)


if __name__ == "__main__":
    run(sampling)
