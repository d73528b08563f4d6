"""The method `edt`: entropy-based dynamic temperature."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.generation.methods.edt import EntropyBased
from ..writing_runs import Into, Prompts, write_condition


def edt(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    hottest: float = 1.0,
    theta: float = 1.0,
) -> None:
    """Let a model write at the sampling temperature T0 · 0.8^(theta / entropy) (EDT).

    Parameters
    ----------
    hottest : T0.
    theta : nats.
    """
    write_condition(
        running,
        prompts,
        into,
        "edt",
        EntropyBased,
        hottest=hottest,
        theta=theta,
    )


if __name__ == "__main__":
    run(edt)
