"""The command that measures energies through a tuned lens."""

from __future__ import annotations

from pathlib import Path

from ..energies.measuring import measure_shard, open_tokens
from ..models.loading import Running
from ..running.command import run
from ..tokens.shards import Cut, check_held_out
from .lens_files import read_lens


def measure_through_lens(
    *,
    running: Running,
    cut: Cut = Cut(),
    tokens: Path,
    lens: Path,
    layers: list[int],
    out: list[Path],
) -> None:
    """Measure one shard as `measure_energies` does, its inner layers read out through a tuned lens.

    Parameters
    ----------
    tokens : Parquet file of one shard.
    lens : safetensors file of the lens.
    layers : layers to read out; 0 is the embedding.
    out : Parquet files to make, one a layer.
    """
    shard = open_tokens(tokens, layers, out)
    translators, trained = read_lens(lens, layers)
    taken = {"corpus": trained["tokens"]["corpus"], "first_document": trained["first_document"]}
    check_held_out(tokens, shard, [taken], str(lens), f"{running.key}.lens.train_documents")
    measure_shard(running, cut, tokens, shard, layers, out, "tuned_lens", translators, lens=trained)


if __name__ == "__main__":
    run(measure_through_lens)
