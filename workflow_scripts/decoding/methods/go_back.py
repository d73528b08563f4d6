"""The method `go_back`: where a text is stuck it goes back, and takes another branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ...models.loading import Running
from ...running.command import run
from ...semstat.decoding.going_back import GoBack, Watch
from ...semstat.models.replay import Reader
from ..continuing import Into, Prompts, Writer, continue_by


def go_back(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    threshold: tuple[float, ...] = (0.0,),
    watch: Watch = "margin",
    patience: tuple[int, ...] = (8,),
    branches: tuple[int, ...] = (4,),
    ngram: tuple[int, ...] = (4,),
) -> None:
    """Let a model continue prompts by the most probable token, and go back where a text is stuck.

    Parameters
    ----------
    threshold : below which the mean of what is watched may not be in a window, −1 to 1.
    watch : `energy`, p(token) − p(token before it) of what is written, or `margin`, p(best token
        that does not stutter) − p(best one that does).
    patience : tokens of a window, at least 2, which is written anew where the text is stuck.
    branches : times that a window is written anew, at most.
    ngram : tokens of a repetition that counts as stuttering, beside three of one token in a row.
    """

    def make(uniform_xt: Tensor, **own: Any) -> Writer:
        rewrite = GoBack(uniform_xt=uniform_xt, **own)

        def write(
            reader: Reader, prompt_xt: Tensor, steps: int, advance: Callable[[int], object]
        ) -> Tensor:
            return rewrite(reader, prompt_xt, steps, advance).token_xt

        return write

    settings = {
        "threshold": threshold,
        "watch": [watch],
        "patience": patience,
        "branches": branches,
        "ngram": ngram,
    }
    # Before a window, after it, on the best branch so far, and on one under way, read and grown.
    continue_by(running, prompts, into, "go_back", make, settings, copies=5)


if __name__ == "__main__":
    run(go_back)
