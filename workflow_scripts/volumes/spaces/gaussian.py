"""The command that samples states distributed normally, as those of text are on average."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch

from ...models.loading import Running
from ...running.command import run
from ...semstat.models.decoder import Decoder
from ...semstat.provenance import digest
from ...semstat.tables import provenance_of, read_table
from ...semstat.volumes.axes import Axes
from ...semstat.volumes.columns import AXES
from ...semstat.volumes.decoded import Decoded
from ...semstat.volumes.like_states import like_states
from ..sampling import Into, Sampled, sample

MEASURE = "normal, with mean and covariance of the states of {}"


def gaussian(*, running: Running, sampled: Sampled, into: Into, axes: Path) -> None:
    """Sample volumes under the normal distribution with mean and covariance of a model's states.

    Parameters
    ----------
    axes : Parquet file of the principal axes of the states at that layer.
    """
    table = read_table(axes, AXES)
    said = provenance_of(table.schema)
    variance_n, mean_n = (table[name].to_numpy() for name in ("variance", "mean"))
    axis_nn = np.stack([axis.values.to_numpy() for axis in table["axis"]])
    parts = Axes(*(torch.from_numpy(part.copy()) for part in (variance_n, mean_n, axis_nn)))
    measure = MEASURE.format(said["tokens"]["dataset"])
    facts = {"states": said["states"], "axes": digest(axes)}
    sample(running, sampled, into, "gaussian", measure, partial(_like, parts), **facts)


def _like(axes: Axes, decoder: Decoder, _hidden: int) -> Decoded:
    return like_states(axes, decoder.unembedding.weight.device)


if __name__ == "__main__":
    run(gaussian)
