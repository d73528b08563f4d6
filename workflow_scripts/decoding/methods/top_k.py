"""The method `top_k`: some most probable tokens."""

from __future__ import annotations

from transformers import TopKLogitsWarper

from ...models.loading import Running
from ...running.command import run
from ..continuing import Into, Prompts, continue_by, cutting


def top_k(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    candidates: tuple[int, ...] = (50,),
    sampling_temperature: tuple[float, ...] = (1.0,),
) -> None:
    """Let a model continue prompts by draws from a fixed number of tokens.

    Fan et al., "Hierarchical neural story generation", arXiv 1805.04833.

    Parameters
    ----------
    candidates : most probable tokens to draw from.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {"candidates": candidates, "sampling_temperature": sampling_temperature}
    continue_by(
        running,
        prompts,
        into,
        "top_k",
        cutting(TopKLogitsWarper),
        settings,
    )


if __name__ == "__main__":
    run(top_k)
