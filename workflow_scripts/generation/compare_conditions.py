"""The command that compares conditions with constant sampling temperatures of the same entropy."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.generation.comparison import compare
from ..semstat.generation.tables import COMPARISONS, CONDITIONS
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, table_of_rows, write_table
from .drawing import all_rows_of


def compare_conditions(conditions: list[Path], /, *, confidence: float = 0.95, out: Path) -> None:
    """Compare texts with those of constant sampling temperatures of the same mean entropy.

    Parameters
    ----------
    conditions : Parquet files of describe_runs, one a condition; constants among them.
    confidence : coverage of intervals.
    out : Parquet file to make.
    """
    rows, _ = all_rows_of(conditions, CONDITIONS)
    head = {"model": rows[0]["model"], "dataset": rows[0]["dataset"]}
    compared = compare(rows, confidence)
    described = provenance_of(open_table(conditions[0], CONDITIONS).schema_arrow)
    of_all = {name: described[name] for name in ("model", "tokens", "writing")}
    provenance = Provenance(of_all).then("compared by", "numpy", "scipy", confidence=confidence)
    write_table(out, table_of_rows([head | row for row in compared], COMPARISONS), provenance)


if __name__ == "__main__":
    run(compare_conditions)
