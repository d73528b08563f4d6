"""The command that sums energies over documents."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..running.command import run
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError, blamed_on
from ..semstat.tables import provenance_of, read_table, remedy, write_table
from ..semstat.tokens.repetitions import in_runs
from ..semstat.tokens.tables import TOKENS
from ..semstat.training import sums
from ..semstat.training.tables import SUMS


def sum_documents(energies: list[Path], /, *, tokens: list[Path], out: Path) -> None:
    """Sum surprisal and energy over each document, of all states and of those in repetitions.

    Parameters
    ----------
    energies : Parquet files of the energies of a model on a dataset, of all layers and shards.
    tokens : Parquet files of the dataset's tokens, one a shard.
    out : Parquet file to make.
    """
    flags: dict[int, NDArray[np.bool_]] = {}
    for path in tokens:
        table = read_table(path, TOKENS)
        for doc, tokens_t in zip(table["doc"].to_pylist(), table["tokens"], strict=True):
            flags[doc] = np.append(False, in_runs(tokens_t.values.to_numpy()[1:]))
    found: dict[int, list[dict[str, NDArray[Any]]]] = defaultdict(list)
    for path in energies:
        table = read_table(path, ENERGIES, sums.NEEDED)
        provenance = provenance_of(table.schema)
        with blamed_on(str(path), remedy(path)):
            column = {name: table[name].to_numpy() for name in sums.NEEDED}
            found[provenance.pop("layer")].append(sums.sum_documents(column, flags))
    parts = []
    for layer, shards in sorted(found.items()):
        column = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}
        if len(np.unique(column["doc"])) < len(column["doc"]):
            raise InputError(
                f"{energies[0]}: documents that are in another file of layer {layer} too; give the "
                f"files of one model and dataset, each once"
            )
        named = column | {"layer": np.full(len(column["doc"]), layer)}
        parts.append(pa.table({name: named[name] for name in SUMS.names}).cast(SUMS))
    provenance = provenance.then("summed by", "numpy", layers=sorted(found))
    write_table(out, pa.concat_tables(parts), provenance)


if __name__ == "__main__":
    run(sum_documents)
