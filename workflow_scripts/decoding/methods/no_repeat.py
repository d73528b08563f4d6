"""The method `no_repeat`: no n-gram twice."""

from __future__ import annotations

from transformers import NoRepeatNGramLogitsProcessor

from ...models.loading import Running
from ...running.command import run
from ..continuing import Into, Prompts, continue_by, processing


def no_repeat(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    ngram: tuple[int, ...] = (4,),
    sampling_temperature: tuple[float, ...] = (0.0,),
) -> None:
    """Let a model continue prompts by refusing what would repeat an n-gram.

    Paulus et al., "A deep reinforced model for abstractive summarization", arXiv 1705.04304.

    Parameters
    ----------
    ngram : tokens of what may not come again, prompt included.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {"ngram": ngram, "sampling_temperature": sampling_temperature}
    continue_by(
        running,
        prompts,
        into,
        "no_repeat",
        processing(NoRepeatNGramLogitsProcessor),
        settings,
    )


if __name__ == "__main__":
    run(no_repeat)
