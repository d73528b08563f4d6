"""What a job that runs a model asks of a cluster: memory and time, from its model and its states.

Imported by the Snakefile, hence by every cluster job: nothing heavy here.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import NamedTuple

from ..semstat.energies.columns import COLUMNS

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Of one parameter, by the dtype that the model runs in."""

TRAINED_BYTES = 16
"""Of one parameter that is trained: itself, its gradient and two moments, in float32."""

SPEED = {"cuda": 5e12, "cpu": 2e10}
"""Floating-point operations a second that can be relied on: of a data-centre GPU in float32, and of
one CPU core (25 G were measured). Four in five of a faster GPU's time limits go unused."""

STARTUP_MINUTES = 10
"""For imports and weights from a file system that a hundred jobs read at once."""

HOST_MB = {"cuda": 6000, "cpu": 2500}
"""Memory of the process itself: Python, torch, two Snakemakes; on a GPU also CUDA's host side."""

ACTIVATION_MB = 1500
"""Activations and readouts of one batch, which neither states nor vocabulary make larger."""

STATE_BYTES = 4 * len(COLUMNS)
"""Of a state's row in the table of energies, every column of which takes 4."""

BUFFERED_STATES = {"cuda": 32 * 16384, "cpu": 32 * 2048}
"""Whose measurements are kept until they can be written in order, by device. (The numbers of
semstat/models/windows.py and models/loading.py, which would load torch.)"""

BUFFERS = 3
"""Alive at a time: one is measured while two wait to be written."""


class Weights(NamedTuple):
    """What the header of a safetensors file tells: parameters, their bytes, the largest matrix.

    The largest matrix is the embedding, as large as the one that reads a state out.
    """

    parameters: int
    bytes: int
    largest: int


def weights_in(path: str | Path) -> Weights:
    """Size of a model, from the header of its safetensors file; the weights are not read.

    Raises
    ------
    FileNotFoundError
        If there is none yet.
    """
    with Path(path).open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    tensors = [tensor for name, tensor in header.items() if name != "__metadata__"]
    sizes = [math.prod(tensor["shape"]) for tensor in tensors]
    ends = [tensor["data_offsets"][1] for tensor in tensors]
    return Weights(sum(sizes), max(ends), max(sizes))


def states_in(path: str | Path) -> int:
    """States of a shard of tokens, from its footer: two fewer than tokens, of each document.

    Raises
    ------
    FileNotFoundError
        If there is none yet.
    """
    # Here, where only a job that is about to run gets: every other job would load it in vain.
    from pyarrow.parquet import read_metadata

    with Path(path).open("rb") as file:
        shard = read_metadata(file)
    groups = [shard.row_group(group) for group in range(shard.num_row_groups)]
    tokens = sum(group.column(group.num_columns - 1).num_values for group in groups)
    return int(tokens - 2 * shard.num_rows)


def memory_mb(
    weights: Weights, dtype: str, device: str, measured_layers: int = 0, attempt: int = 1
) -> int:
    """Main memory for a model: its file and a copy in the dtype it runs in, and what is around.

    Parameters
    ----------
    device : "cpu" or "cuda".
    measured_layers : layers whose energies are kept until they are written.
    attempt : each further one asks for as much again.
    """
    loaded = weights.bytes + weights.parameters * BYTES[dtype]
    kept = measured_layers * BUFFERS * BUFFERED_STATES[device] * STATE_BYTES
    return attempt * (HOST_MB[device] + ACTIVATION_MB + math.ceil((loaded + kept) / 1e6))


def gpu_memory_mb(weights: Weights, parameter_bytes: int) -> int:
    """GPU memory that a model needs at least: itself, its readout in float32, and one batch.

    Parameters
    ----------
    parameter_bytes : of a parameter: `BYTES` of its dtype, or `TRAINED_BYTES`.
    """
    return ACTIVATION_MB + math.ceil(
        (weights.parameters * parameter_bytes + 4 * weights.largest) / 1e6
    )


def runtime_minutes(
    weights: Weights, tokens: float, readouts: float, device: str, cores: int, attempt: int = 1
) -> int:
    """Time limit of a job: start-up, and its arithmetic at a speed that can be relied on.

    A token costs two operations a parameter, a readout two an element of the unembedding (Kaplan et
    al. 2020, arXiv:2001.08361, section 2.1).

    Parameters
    ----------
    tokens : that pass through the model's body, overlaps of windows and passes counted.
    readouts : states × layers that are read out.
    device : "cpu" or "cuda".
    cores : of the CPU, where that computes.
    attempt : each further one asks for as much again.
    """
    operations = 2 * (weights.parameters * tokens + weights.largest * readouts)
    speed = SPEED[device] * (cores if device == "cpu" else 1)
    return attempt * (STARTUP_MINUTES + math.ceil(operations / speed / 60))
