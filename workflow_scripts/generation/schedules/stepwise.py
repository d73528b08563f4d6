"""The schedule `stepwise`: solved position by position, in one generation."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.generation.methods.stepwise import Stepwise
from ..finding import Aim, solve_while_writing
from ..writing_runs import Prompts


def stepwise(*, running: Running, prompts: Prompts, aim: Aim) -> None:
    """Find the sampling temperature of each position at which the marginal entropy is the target.

    The root of one variable, on the logits of the runs as they are being written; what is found is
    smoothed over positions.
    """
    solve_while_writing(running, prompts, aim, Stepwise(aim.target), "stepwise")


if __name__ == "__main__":
    run(stepwise)
