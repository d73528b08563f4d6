"""The method `nucleus`: the most probable tokens that together hold a given probability."""

from __future__ import annotations

from transformers import TopPLogitsWarper

from ...models.loading import Running
from ...running.command import run
from ..continuing import Into, Prompts, continue_by, cutting


def nucleus(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    mass: tuple[float, ...] = (0.95,),
    sampling_temperature: tuple[float, ...] = (1.0,),
) -> None:
    """Let a model continue prompts by draws from a nucleus (top-p).

    Holtzman et al., "The curious case of neural text degeneration", arXiv 1904.09751.

    Parameters
    ----------
    mass : probability that the fewest tokens to draw from hold together, at least.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {"mass": mass, "sampling_temperature": sampling_temperature}
    continue_by(running, prompts, into, "nucleus", cutting(TopPLogitsWarper), settings)


if __name__ == "__main__":
    run(nucleus)
