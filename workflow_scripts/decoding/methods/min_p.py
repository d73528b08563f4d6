"""The method `min_p`: tokens not much less probable than the most probable one."""

from __future__ import annotations

from transformers import MinPLogitsWarper

from ...models.loading import Running
from ...running.command import run
from ..continuing import Into, Prompts, continue_by, cutting


def min_p(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    share: tuple[float, ...] = (0.1,),
    sampling_temperature: tuple[float, ...] = (1.0,),
) -> None:
    """Let a model continue prompts by draws from tokens that are probable enough.

    Nguyen et al., "Turning up the heat: min-p sampling", arXiv 2407.01082.

    Parameters
    ----------
    share : of the probability of the most probable token, that one must have.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {"share": share, "sampling_temperature": sampling_temperature}
    continue_by(running, prompts, into, "min_p", cutting(MinPLogitsWarper), settings)


if __name__ == "__main__":
    run(min_p)
