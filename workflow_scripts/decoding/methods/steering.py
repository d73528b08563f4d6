"""The method `steering`: the least change of a hidden state that keeps it from stuttering."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.decoding.steer_away import SteerAway
from ..continuing import Into, Prompts, continue_by, write_by


def steering(
    *,
    running: Running,
    prompts: Prompts,
    into: Into,
    layer: int,
    margin: tuple[float, ...] = (1.0,),
    ngram: tuple[int, ...] = (4,),
    budget: tuple[float, ...] = (1.0,),
) -> None:
    """Let a model continue prompts by steering away from stuttering.

    Parameters
    ----------
    layer : layer at which to steer.
    margin : log-odds, nats, by which another token is to win.
    ngram : tokens of a repetition that counts as stuttering, beside three of one token in a row.
    budget : largest change of a hidden state as a share of its norm.
    """
    continue_by(
        running,
        prompts,
        into,
        "steering",
        lambda _uniform_xt, **own: write_by(SteerAway(**own)),
        {"margin": margin, "ngram": ngram, "budget": budget},
        layer=layer,
    )


if __name__ == "__main__":
    run(steering)
