"""The method `contrastive`: a probable token that is unlike those before it."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.decoding.contrastive import Contrastive
from ..continuing import Into, Prompts, continue_by, write_by


def contrastive(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    alpha: tuple[float, ...] = (0.6,),
    candidates: tuple[int, ...] = (4,),
) -> None:
    """Let a model continue prompts by contrastive search.

    Su et al., "A contrastive framework for neural text generation", arXiv 2202.06417.

    Parameters
    ----------
    alpha : weight of the similarity.
    candidates : most probable tokens among which it chooses.
    """
    continue_by(
        running,
        prompts,
        into,
        "contrastive",
        lambda _uniform_xt, **own: write_by(Contrastive(**own)),
        {"alpha": alpha, "candidates": candidates},
        copies=2 * max(candidates),  # each one read, and what was before
    )


if __name__ == "__main__":
    run(contrastive)
