"""The command that tells what is conserved."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..running.command import run
from ..semstat.errors import blamed_on
from ..semstat.mechanics.conservation import describe
from ..semstat.mechanics.sums import Sums, from_table, merge
from ..semstat.mechanics.tables import MECHANICS, TRAJECTORIES
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table


def describe_mechanics(sums: list[Path], /, *, confidence: float = 0.95, out: list[Path]) -> None:
    """Tell how nearly conserved each combination of kinetic and potential terms is, by layer.

    Parameters
    ----------
    sums : sums of some ensembles, a Parquet file a shard; those of an ensemble together.
    confidence : coverage of intervals.
    out : Parquet files to make, one an ensemble: a row a layer, place and combination of terms.
    """
    shards = groupby(map(_read, sums), key=lambda shard: shard[0])
    for ((model, dataset), of_ensemble), path in zip(shards, out, strict=True):
        tables = [table for _, table in of_ensemble]
        rows = _describe(model, dataset, merge(map(from_table, tables)), confidence)
        provenance = provenance_of(tables[0].schema).then(
            "described by", "numpy", "scipy", shards=len(tables), confidence=confidence
        )
        write_table(path, table_of_rows(rows, MECHANICS), provenance)


def _read(path: Path) -> tuple[tuple[str, str], pa.Table]:
    """Model and dataset, and the sums of one shard."""
    table = read_table(path, TRAJECTORIES)
    model, dataset, _ = Identity.of(provenance_of(table.schema))
    return (model, dataset), table


def _describe(
    model: str, dataset: str, sums: dict[tuple[int, str], Sums], confidence: float
) -> list[dict[str, Any]]:
    rows = []
    remedy = "give it more or longer documents (documents_per_shard, tokens_per_document)"
    for (layer, place), of_layer in sums.items():
        with blamed_on(f"datasets.{dataset} (model {model}, layer {layer})", remedy):
            described = describe(of_layer, confidence)
        where = {"model": model, "dataset": dataset, "layer": layer, "place": place}
        rows += [where | row for row in described]
    return rows


if __name__ == "__main__":
    run(describe_mechanics)
