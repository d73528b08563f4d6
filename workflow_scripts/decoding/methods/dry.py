"""The method `dry`: the longer a repetition, the less probable is its next token."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.decoding import dry as physics
from ..continuing import Into, Prompts, continue_by, processing


def dry(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    multiplier: tuple[float, ...] = (0.8,),
    base: tuple[float, ...] = (1.75,),
    allowed_length: tuple[int, ...] = (2,),
    sampling_temperature: tuple[float, ...] = (0.0,),
) -> None:
    """Let a model continue prompts by DRY.

    Parameters
    ----------
    multiplier : by which the logit of a token is lowered that lengthens a repetition beyond the
        allowed length.
    base : by which that grows with each token more.
    allowed_length : tokens of a repetition from which on it is.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {
        "multiplier": multiplier,
        "base": base,
        "allowed_length": allowed_length,
        "sampling_temperature": sampling_temperature,
    }
    continue_by(running, prompts, into, "dry", processing(physics.dry), settings)


if __name__ == "__main__":
    run(dry)
