"""The command that samples uniform directions."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.volumes.decoded import Decoded
from ...semstat.volumes.directions import directions
from ..sampling import Given, Into, Sampled, sample

MEASURE = "uniform directions"


def sphere(*, running: Running, sampled: Sampled, into: Into) -> None:
    """Sample volumes under the uniform measure on directions of the last layer's state.

    A norm leaves nothing else of it; under a LayerNorm the directions are those without mean.
    """
    sample(running, sampled, into, "sphere", MEASURE, _directions)


def _directions(given: Given) -> Decoded:
    return directions(given.decoder, given.hidden)


if __name__ == "__main__":
    run(sphere)
