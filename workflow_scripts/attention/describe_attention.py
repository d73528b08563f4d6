"""The command that tells what goes with low energy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..running.command import progress, run
from ..semstat.attention.description import describe_associations, describe_groups
from ..semstat.attention.tables import ASSOCIATIONS, GROUPS, VOLUMES
from ..semstat.errors import blamed_on
from ..semstat.provenance import Identity
from ..semstat.tables import table_of_rows, write_table
from .joining import by_layer, read_layer


def describe_attention(
    *,
    energies: list[Path],
    attention: list[Path],
    quantiles: int = 5,
    draws: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
    groups: Path,
    volumes: Path,
    associations: Path,
) -> None:
    """Tell what goes with low energy at every layer of one model on one dataset.

    Parameters
    ----------
    energies : energies, a Parquet file a layer and shard.
    attention : attention of the same states, in the same order.
    quantiles : groups of states by each measure.
    draws : of each null.
    confidence : coverage of intervals.
    seed : seed of the nulls.
    groups : Parquet file of states by quantiles of each measure to make.
    volumes : Parquet file of their Ω to make.
    associations : Parquet file of correlations to make.
    """
    files = by_layer(energies, attention)
    rows: dict[Path, list[dict[str, Any]]] = {groups: [], volumes: [], associations: []}
    with progress("what goes with low energy", "layers", len(files)) as bar:
        for layer, pairs in files.items():
            columns, provenance = read_layer(pairs)
            of = Identity.of(provenance)
            head = {"model": of.model, "dataset": of.dataset, "layer": layer}
            with blamed_on(
                f"attention (model {of.model}, dataset {of.dataset})",
                f"lower `quantiles`, or measure more documents (datasets.{of.dataset}.shards)",
            ):
                found = describe_groups(columns, quantiles, confidence)
                rng = np.random.default_rng([seed, layer])
                associated = describe_associations(columns, draws, rng, confidence)
            for path, more in zip(rows, (*found, associated), strict=True):
                rows[path] += [head | row for row in more]
            bar.update(1)
    provenance.pop("layer")
    said = provenance.then(
        "described by",
        *("numpy", "scipy"),
        **{"quantiles": quantiles, "draws": draws, "confidence": confidence, "seed": seed},
    )
    for path, schema in ((groups, GROUPS), (volumes, VOLUMES), (associations, ASSOCIATIONS)):
        write_table(path, table_of_rows(rows[path], schema), said)


if __name__ == "__main__":
    run(describe_attention)
