"""The command that describes how far text is from wells."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..running.command import run
from ..semstat.provenance import Identity
from ..semstat.statistics.curve import Interval
from ..semstat.tables import (
    interval_columns,
    provenance_of,
    read_table,
    table_of_rows,
    write_table,
)
from ..semstat.volumes import nearness
from ..semstat.volumes.distance_columns import DISTANCES as POINTS
from ..semstat.volumes.distance_columns import STARTS
from ..semstat.volumes.tables import DISTANCES


def describe_distances(points: Path, /, *, confidence: float = 0.95, out: Path) -> None:
    """Describe how far wells are from text and from random points, on average over pairs.

    Parameters
    ----------
    points : Parquet file of measure_distances.
    confidence : coverage of intervals.
    out : Parquet file to make.
    """
    table = read_table(points, POINTS)
    provenance = provenance_of(table.schema)
    model, dataset, layer = Identity.of(provenance)
    head = {"model": model, "dataset": dataset, "layer": layer, "energy": provenance["energy"]}
    named = {name: table[name].to_numpy(zero_copy_only=False) for name in POINTS.names}
    rows = []
    for space in dict.fromkeys(named["space"]):
        of_space = {name: part_s[named["space"] == space] for name, part_s in named.items()}
        pairs = len(np.unique(of_space["pair"]))
        own, text, random = (
            of_space["distance"][of_space["start"] == start].reshape(pairs, -1) for start in STARTS
        )
        found = nearness.describe_distances(own[:, 0], text, random, confidence)
        bounded = {name: of for name, of in found.items() if isinstance(of, Interval)}
        row = head | {"space": space, "unit": of_space["unit"][0]}
        row |= {"pairs": pairs, "starts": text.shape[1]}
        rows.append(row | found | interval_columns(bounded))
    provenance = provenance.then("described by", "numpy", "scipy", confidence=confidence)
    write_table(out, table_of_rows(rows, DISTANCES), provenance)


if __name__ == "__main__":
    run(describe_distances)
