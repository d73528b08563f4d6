"""The command that measures energies by the logit lens."""

from __future__ import annotations

from pathlib import Path

from ..models.loading import Running
from ..running.command import run
from ..tokens.shards import Cut
from .measuring import measure_shard, open_tokens


def measure_energies(
    *, running: Running, cut: Cut = Cut(), tokens: Path, layers: list[int], out: list[Path]
) -> None:
    """Measure one shard: the energy of every state at every layer asked for, by one forward pass.

    Parameters
    ----------
    tokens : Parquet file of one shard.
    layers : layers to read out; 0 is the embedding.
    out : Parquet files to make, one a layer.
    """
    shard = open_tokens(tokens, layers, out)
    measure_shard(running, cut, tokens, shard, layers, out, "logit_lens")


if __name__ == "__main__":
    run(measure_energies)
