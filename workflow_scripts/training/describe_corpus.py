"""The command that describes what a corpus of tokens repeats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..running.command import run
from ..semstat.errors import InputError, blamed_on
from ..semstat.provenance import Provenance
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table
from ..semstat.tokens import repetitions
from ..semstat.tokens.tables import TOKENS
from ..semstat.training.corpus_columns import CORPORA

SAME = ("dataset", "ensemble", "seed", "rate", "unit", "copies", "shuffled", "prefix_token")
"""What the provenance of all files must say alike."""


def describe_corpus(
    *, tokens: list[Path], window: int, confidence: float = 0.95, out: Path
) -> None:
    """Tell how much a dataset's tokens repeat themselves.

    Parameters
    ----------
    tokens : Parquet files of tokens, all of one dataset; one a shard.
    window : tokens of the windows that rep-n is told of.
    confidence : coverage of intervals.
    out : Parquet file to make, with one row.
    """
    tables = [read_table(path, TOKENS) for path in tokens]
    provenance = provenance_of(tables[0].schema)
    for path, table in zip(tokens, tables, strict=True):
        found = provenance_of(table.schema)
        if differing := [key for key in SAME if found.get(key) != provenance.get(key)]:
            raise InputError(
                f"{path}: not of the dataset of {tokens[0]}, which differs in `{differing[0]}`; "
                f"give the files of one"
            )
    if window < len(repetitions.ORDERS):
        raise InputError(f"--window: {window} tokens have no 4-grams; give four at least")
    doc = np.concatenate([table["doc"].to_numpy() for table in tables])
    if len(np.unique(doc)) < len(doc):
        raise InputError(f"{tokens[-1]}: documents that are in another file too; give each once")

    def documents() -> Iterator[NDArray[Any]]:
        for table in tables:
            for tokens_t in table["tokens"]:
                yield tokens_t.values.to_numpy()

    with blamed_on(f"datasets.{provenance['dataset']}", "give more documents"):
        row = repetitions.describe_corpus(
            repetitions.sum_repetitions(documents(), window), confidence
        )
    head = {"dataset": provenance["dataset"], "window": window}
    said = Provenance({"tokens": provenance}).then(
        "described by", "numpy", "scipy", confidence=confidence, window=window
    )
    write_table(out, table_of_rows([head | row], CORPORA), said)


if __name__ == "__main__":
    run(describe_corpus)
