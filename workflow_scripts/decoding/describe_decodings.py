"""The command that describes what a method of decoding writes."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.decoding import description
from ..semstat.decoding.columns import CONTINUATIONS
from ..semstat.decoding.tables import DECODINGS
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table


def describe_decodings(continuations: Path, /, *, confidence: float = 0.95, out: Path) -> None:
    """Describe what a method of decoding writes, on average over prompts, with intervals.

    Parameters
    ----------
    continuations : Parquet file of the continuations of a condition.
    confidence : coverage of intervals.
    out : Parquet file to make.
    """
    table = read_table(continuations, CONTINUATIONS)
    provenance = provenance_of(table.schema)
    model, dataset, _ = Identity.of(provenance)
    head = {"model": model, "dataset": dataset}
    rows = description.describe_continuations(table.to_pylist(), confidence)
    provenance = provenance.then("described by", "numpy", "scipy", confidence=confidence)
    write_table(out, table_of_rows([head | row for row in rows], DECODINGS), provenance)


if __name__ == "__main__":
    run(describe_decodings)
