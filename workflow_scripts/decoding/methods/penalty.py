"""The method `penalty`: tokens in the text are made less probable."""

from __future__ import annotations

from transformers import RepetitionPenaltyLogitsProcessor

from ...models.loading import Running
from ...running.command import run
from ..continuing import Into, Prompts, continue_by, processing


def penalty(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    penalty: tuple[float, ...] = (1.2,),
    sampling_temperature: tuple[float, ...] = (0.0,),
) -> None:
    """Let a model continue prompts by penalising tokens that the text has.

    Their logits are divided by the penalty, or multiplied where negative: Keskar et al., "CTRL",
    arXiv 1909.05858, section 4.1.

    Parameters
    ----------
    penalty : at least 1, which does nothing.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        most probable one.
    """
    settings = {"penalty": penalty, "sampling_temperature": sampling_temperature}
    continue_by(
        running,
        prompts,
        into,
        "penalty",
        processing(RepetitionPenaltyLogitsProcessor),
        settings,
    )


if __name__ == "__main__":
    run(penalty)
