"""The command that samples states distributed normally, as those of text are on average."""

from __future__ import annotations

from pathlib import Path

from ...models.loading import Running
from ...running.command import run
from ...semstat.volumes.decoded import Decoded
from ...semstat.volumes.like_states import like_states
from ..axes_file import read_axes
from ..sampling import Given, Into, Sampled, sample

MEASURE = "normal, with mean and covariance of the states of {}"


def gaussian(*, running: Running, sampled: Sampled, into: Into, axes: Path) -> None:
    """Sample volumes under the normal distribution with mean and covariance of a model's states.

    Parameters
    ----------
    axes : Parquet file of the principal axes of the states at that layer.
    """
    parts, dataset, facts = read_axes(axes)

    def like(given: Given) -> Decoded:
        return like_states(parts, given.layered.device)

    sample(running, sampled, into, "gaussian", MEASURE.format(dataset), like, **facts)


if __name__ == "__main__":
    run(gaussian)
