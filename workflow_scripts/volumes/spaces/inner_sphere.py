"""The command that samples directions of an inner layer's state, after real histories."""

from __future__ import annotations

from ...models.loading import Running
from ...running.command import run
from ...semstat.volumes.decoded import Decoded
from ...semstat.volumes.directions import directions_with_norm
from ...semstat.volumes.histories import Histories, replayed
from ..sampling import Given, Into, Sampled, sample

MEASURE = "uniform directions with the norm of each pair's state; the blocks above go on"


def inner_sphere(*, running: Running, sampled: Sampled, into: Into) -> None:
    """Sample volumes under the uniform measure on directions of an inner layer's state.

    Its norm is that of the pair's own state there; the blocks above go on, after its history.
    """
    sample(running, sampled, into, "inner_sphere", MEASURE, _directions)


def _directions(given: Given) -> Decoded:
    reader, at_once = given.reader(given.layer)
    histories = Histories.read(reader, given.texts, at_once)
    norm_r = histories.state_rn.float().norm(dim=1)
    return replayed(directions_with_norm(norm_r, given.hidden), histories)


if __name__ == "__main__":
    run(inner_sphere)
