"""The method `greedy`: the most probable token."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.decoding.processed import unchanged
from ..continuing import Into, Prompts, continue_by, processing


def greedy(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
) -> None:
    """Let a model continue prompts by the most probable token."""
    continue_by(running, prompts, into, "greedy", processing(lambda: unchanged), {})


if __name__ == "__main__":
    run(greedy)
