"""The command that sums energies over documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..running.command import run
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError, blamed_on
from ..semstat.tables import provenance_of, read_table, remedy, table_of, write_table
from ..semstat.tokens.repetitions import in_runs
from ..semstat.tokens.tables import TOKENS
from ..semstat.training import sums
from ..semstat.training.bigrams import Bigrams
from ..semstat.training.tables import SUMS


def sum_documents(
    energies: list[Path],
    /,
    *,
    tokens: list[Path],
    counted_on: tuple[Path, ...] = (),
    out: Path,
) -> None:
    """Sum surprisal and energy over each document, of all states and of those in repetitions.

    Parameters
    ----------
    energies : Parquet files of the energies of a model on a dataset, of all layers and shards.
    tokens : Parquet files of the dataset's tokens, one a shard.
    counted_on : Parquet files of tokens that the model was trained on; a chain of bigrams counted
        on them is the yardstick of its surprisal.
    out : Parquet file to make.
    """
    flags = {
        doc: np.append(False, in_runs(tokens_t[1:]))
        for path in tokens
        for doc, tokens_t in _read(path)
    }
    bigrams: Bigrams | None = None
    found: dict[int, list[dict[str, NDArray[Any]]]] = defaultdict(list)
    for path in energies:
        table = read_table(path, ENERGIES, sums.NEEDED)
        provenance = provenance_of(table.schema)
        with blamed_on(str(path), remedy(path)):
            column = {name: table[name].to_numpy() for name in sums.NEEDED}
            if counted_on and bigrams is None:
                documents = [tokens_t for path in counted_on for _, tokens_t in _read(path)]
                bigrams = Bigrams(documents, provenance["model"]["vocabulary"])
            found[provenance.pop("layer")].append(sums.sum_documents(column, flags, bigrams))
    parts = []
    for layer, shards in sorted(found.items()):
        column = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}
        if len(np.unique(column["doc"])) < len(column["doc"]):
            raise InputError(
                f"{energies[0]}: documents that are in another file of layer {layer} too; give the "
                f"files of one model and dataset, each once"
            )
        named = column | {"layer": np.full(len(column["doc"]), layer)}
        parts.append(table_of(named, SUMS))
    provenance = provenance.then("summed by", "numpy", layers=sorted(found))
    write_table(out, pa.concat_tables(parts), provenance)


def _read(path: Path) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """Number and tokens of each document of a file."""
    table = read_table(path, TOKENS)
    for doc, tokens_t in zip(table["doc"].to_pylist(), table["tokens"], strict=True):
        yield doc, tokens_t.values.to_numpy()


if __name__ == "__main__":
    run(sum_documents)
