"""The method `mirostat`: Mirostat 2."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.generation.methods.mirostat import Mirostat
from ..writing_runs import Into, Prompts, write_condition


def mirostat(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    surprise: float = 3.0,
    rate: float = 1.0,
) -> None:
    """Let a model write by Mirostat 2: tokens too surprising are cut off, so as to hold surprise.

    Parameters
    ----------
    surprise : surprisal to hold, bits (authors 3, llama.cpp 5).
    rate : by how much of what is lacking the bound moves (authors 1, llama.cpp 0.1).
    """
    write_condition(
        running,
        prompts,
        into,
        "mirostat",
        Mirostat,
        surprise=surprise,
        rate=rate,
    )


if __name__ == "__main__":
    run(mirostat)
