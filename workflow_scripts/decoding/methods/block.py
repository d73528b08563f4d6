"""The method `block`: nothing that stutters."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.decoding.stutter_block import stutter_block
from ..continuing import Into, Prompts, continue_by, processing


def block(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    ngram: tuple[int, ...] = (4,),
    sampling_temperature: tuple[float, ...] = (0.0,),
) -> None:
    """Let a model continue prompts by refusing what stutters.

    Parameters
    ----------
    ngram : tokens of a repetition that counts as stuttering, beside three of one token in a row.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {"ngram": ngram, "sampling_temperature": sampling_temperature}
    continue_by(running, prompts, into, "block", processing(stutter_block), settings)


if __name__ == "__main__":
    run(block)
