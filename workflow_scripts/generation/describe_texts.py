"""The command that describes each run by itself."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from ..running.command import run
from ..semstat.generation import texts
from ..semstat.generation.columns import RUNS
from ..semstat.generation.tables import TEXTS
from ..semstat.provenance import Provenance
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table


def describe_texts(runs: Path, /, *, model: Path, out: Path) -> None:
    """Describe each run by itself: its text, its loops and how it repeats itself.

    Parameters
    ----------
    runs : Parquet file of runs.
    model : snapshot of the model, for its tokenizer.
    out : Parquet file to make.
    """
    table = read_table(runs, RUNS)
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))

    def decode(tokens: list[int]) -> str:
        return str(tokenizer.decode(tokens, skip_special_tokens=False))

    rows = texts.describe_texts(table.to_pylist(), decode)
    provenance = Provenance(provenance_of(table.schema))
    provenance = provenance.then("described by", "numpy", "tokenizers", "pyarrow")
    write_table(out, table_of_rows(rows, TEXTS), provenance)


if __name__ == "__main__":
    run(describe_texts)
