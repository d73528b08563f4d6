"""The command that puts continuations beside their prompts, to be read by people."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from ..running.command import run
from ..semstat.decoding.columns import CONTINUATIONS
from ..semstat.tables import completed, read_table


def show_texts(continuations: list[Path], /, *, out: Path) -> None:
    """Put the continuations of all conditions below each other, prompt by prompt, as CSV.

    Parameters
    ----------
    continuations : Parquet files of continuations, a condition each.
    out : CSV file to make.
    """
    rows = [row for path in continuations for row in read_table(path, CONTINUATIONS).to_pylist()]
    readable = [
        {
            "doc": row["doc"],
            "prompt": row["prompt"],
            "condition": row["condition"],
            "parameter": row["parameter"],
            "value": row["value"],
            "continuation": row["continuation"],
            "rep_4": round(row["rep_4"], 3),
            "perplexity": round(math.exp(row["surprisal"]), 2),
            "steered_tokens": sum(row["steered"]),
        }
        for row in sorted(rows, key=lambda row: row["doc"])
    ]
    with completed(out) as (temporary,):
        pyarrow.csv.write_csv(pa.Table.from_pylist(readable), temporary)


if __name__ == "__main__":
    run(show_texts)
