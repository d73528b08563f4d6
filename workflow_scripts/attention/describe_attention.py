"""The command that tells what goes with low energy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..running.command import progress, run
from ..semstat.attention.description import describe_associations, describe_groups
from ..semstat.attention.places import describe_places
from ..semstat.attention.sums import sum_documents
from ..semstat.attention.tables import ASSOCIATIONS, GROUPS, PLACES, SUMS, VOLUMES
from ..semstat.errors import blamed_on
from ..semstat.provenance import Identity
from ..semstat.tables import table_of, table_of_rows, write_table
from .joining import by_layer, copies_by_shard, read_layer


def describe_attention(
    *,
    energies: list[Path],
    attention: list[Path],
    tokens: list[Path],
    quantiles: int = 5,
    draws: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
    groups: Path,
    volumes: Path,
    associations: Path,
    places: Path,
    sums: Path,
) -> None:
    """Tell what goes with low energy at every layer of one model on one dataset.

    Parameters
    ----------
    energies : energies, a Parquet file a layer and shard.
    attention : attention of the same states, in the same order.
    tokens : tokens of the dataset, a Parquet file a shard.
    quantiles : groups of states by each measure.
    draws : of each null.
    confidence : coverage of intervals.
    seed : seed of the nulls.
    groups : Parquet file of states by quantiles of each measure to make.
    volumes : Parquet file of their Ω to make.
    associations : Parquet file of correlations to make.
    places : Parquet file of states in runs and elsewhere to make.
    sums : Parquet file of sums over the states of each document to make.
    """
    files = by_layer(energies, attention)
    copies = copies_by_shard(tokens)
    rows: dict[Path, list[dict[str, Any]]] = {groups: [], volumes: [], associations: [], places: []}
    summed = []
    with progress("what goes with low energy", "layers", len(files)) as bar:
        for layer, pairs in files.items():
            columns, provenance = read_layer(pairs, copies)
            of = Identity.of(provenance)
            head = {"model": of.model, "dataset": of.dataset, "layer": layer}
            with blamed_on(
                f"attention (model {of.model}, dataset {of.dataset})",
                f"lower `quantiles`, or measure more documents (datasets.{of.dataset}.shards)",
            ):
                found = describe_groups(columns, quantiles, confidence)
                rng = np.random.default_rng([seed, layer])
                associated = describe_associations(columns, draws, rng, confidence)
                placed = describe_places(columns, confidence)
            for path, more in zip(rows, (*found, associated, placed), strict=True):
                rows[path] += [head | row for row in more]
            of_documents = sum_documents(columns)
            of_documents["layer"] = np.full(len(of_documents["doc"]), layer)
            summed.append(table_of(of_documents, SUMS))
            bar.update(1)
    provenance.pop("layer")
    said = provenance.then(
        "described by",
        *("numpy", "scipy"),
        **{"quantiles": quantiles, "draws": draws, "confidence": confidence, "seed": seed},
    )
    for (path, of_path), schema in zip(
        rows.items(), (GROUPS, VOLUMES, ASSOCIATIONS, PLACES), strict=True
    ):
        write_table(path, table_of_rows(of_path, schema), said)
    write_table(sums, pa.concat_tables(summed), said)


if __name__ == "__main__":
    run(describe_attention)
