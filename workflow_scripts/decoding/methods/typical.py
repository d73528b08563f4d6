"""The method `typical`: tokens whose surprisal is near the entropy."""

from __future__ import annotations

from transformers import TypicalLogitsWarper

from ...models.loading import Running
from ...running.command import run
from ..continuing import Into, Prompts, continue_by, cutting


def typical(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    mass: tuple[float, ...] = (0.95,),
    sampling_temperature: tuple[float, ...] = (1.0,),
) -> None:
    """Let a model continue prompts by draws from typical tokens.

    Meister et al., "Locally typical sampling", arXiv 2202.00666.

    Parameters
    ----------
    mass : probability that the tokens hold together, at least, whose surprisal is nearest to
        the entropy.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {"mass": mass, "sampling_temperature": sampling_temperature}
    continue_by(running, prompts, into, "typical", cutting(TypicalLogitsWarper), settings)


if __name__ == "__main__":
    run(typical)
