"""The command that samples states of an inner layer, distributed normally, after real histories."""

from __future__ import annotations

from pathlib import Path

from ...models.loading import Running
from ...running.command import run
from ...semstat.volumes.decoded import Decoded
from ...semstat.volumes.histories import Histories, replayed
from ...semstat.volumes.like_states import like_states
from ..axes_file import read_axes
from ..sampling import Given, Into, Sampled, sample

MEASURE = "normal, like the states of {}; the blocks above go on, after each pair's history"


def inner_gaussian(*, running: Running, sampled: Sampled, into: Into, axes: Path) -> None:
    """Sample volumes of an inner layer's states, normally distributed, after real histories.

    With mean and covariance of the model's own states there; the blocks above go on from them.

    Parameters
    ----------
    axes : Parquet file of the principal axes of the states at that layer.
    """
    parts, dataset, facts = read_axes(axes)

    def like(given: Given) -> Decoded:
        reader, at_once = given.reader(given.layer)
        states = like_states(parts, given.layered.device)
        return replayed(states, Histories.read(reader, given.texts, at_once))

    sample(running, sampled, into, "inner_gaussian", MEASURE.format(dataset), like, **facts)


if __name__ == "__main__":
    run(inner_gaussian)
