"""The command that tells which loops a model would rather close."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running.command import run
from ..semstat.periods import description
from ..semstat.periods.tables import PERIODS
from ..semstat.provenance import Identity
from ..semstat.tables import table_of_rows, write_table
from .layers import read_layers


def describe_periods(
    *,
    own: list[Path],
    null: list[Path],
    tokens: list[Path],
    confidence: float = 0.95,
    out: Path,
) -> None:
    """Tell how often a model would rather close a loop, by layer and period, beside the null.

    Parameters
    ----------
    own : loop energies, a Parquet file a layer and shard.
    null : those with the history of another place, in the same order.
    tokens : tokens of the dataset, a Parquet file a shard.
    confidence : coverage of intervals.
    out : Parquet file to make.
    """
    rows: list[dict[str, Any]] = []
    for of in read_layers(own, null, tokens, ["last", "energy"]):
        who = Identity.of(of.provenance)
        head = {"model": who.model, "dataset": who.dataset, "layer": of.layer}
        found = description.describe_periods(of.own, of.null, of.periods, confidence)
        rows += [head | row for row in found]
    said = of.provenance.then("described by", "numpy", "scipy", confidence=confidence)
    write_table(out, table_of_rows(rows, PERIODS), said)


if __name__ == "__main__":
    run(describe_periods)
