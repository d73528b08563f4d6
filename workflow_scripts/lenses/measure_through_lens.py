"""The command that measures energies through a tuned lens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from pyarrow.parquet import ParquetFile

from ..energies.measuring import measure_shard, open_tokens
from ..models.loading import Running
from ..running.command import run
from ..semstat.errors import InputError
from ..semstat.tables import provenance_of
from ..tokens.shards import Cut
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
    _check_disjoint(running, tokens, shard, lens, trained)
    facts = {"lens": trained}
    measure_shard(running, cut, tokens, shard, layers, out, "tuned_lens", translators, **facts)


def _check_disjoint(
    running: Running, tokens: Path, shard: ParquetFile, lens: Path, trained: dict[str, Any]
) -> None:
    """No document may be measured through a lens that it has trained."""
    if provenance_of(shard.schema_arrow)["corpus"] != trained["tokens"]["corpus"]:
        return
    last = pc.max(shard.read(columns=["doc"])["doc"]).as_py()
    if last >= trained["first_document"]:
        raise InputError(
            f"{tokens}: document {last} is one of those that {lens} was made from "
            f"({trained['first_document']} and on); lower {running.key}.lens.train_documents or "
            f"the `shards` that are measured"
        )


if __name__ == "__main__":
    run(measure_through_lens)
