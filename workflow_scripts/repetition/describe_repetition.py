"""The command that describes what repetition does."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from ..running.command import run
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError, blamed_on
from ..semstat.provenance import Provenance
from ..semstat.repetition import description
from ..semstat.repetition.tables import REPETITION
from ..semstat.tables import provenance_of, read_table, write_table

NEEDED = ["doc", "position", "log_p_last", "log_p_correct", "energy"]


def describe_repetition(energies: list[Path], /, *, confidence: float = 0.95, out: Path) -> None:
    """Tell how energy and probabilities go as a unit is repeated, at every layer of one model.

    Parameters
    ----------
    energies : energies of a `repeated` dataset, a Parquet file a layer and shard; shards differ in
        the number of copies.
    confidence : coverage of intervals.
    out : Parquet file to make, a row a layer and number of copies.
    """
    by_layer: dict[int, dict[int, dict[str, NDArray[Any]]]] = defaultdict(dict)
    for path in energies:
        columns, provenance = _read(path)
        by_layer[provenance.pop("layer")][provenance["tokens"].pop("copies")] = columns
    rows = []
    for layer, columns_n in sorted(by_layer.items()):
        with blamed_on(
            f"datasets.{provenance['tokens']['dataset']}",
            "give it more documents (documents_per_shard) or more numbers of copies (repetitions)",
        ):
            described = description.describe_repetition(columns_n, confidence)
        rows += [{"layer": layer} | row for row in described]
    provenance = provenance.then("described by", "numpy", "scipy", confidence=confidence)
    write_table(out, pa.Table.from_pylist(rows, schema=REPETITION), provenance)


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], Provenance]:
    table = read_table(path, ENERGIES, NEEDED)
    provenance = provenance_of(table.schema)
    tokens = provenance["tokens"]
    if tokens["ensemble"] != "repeated":
        raise InputError(f"{path}: is of no `repeated` dataset; give one that is")
    columns = {name: table[name].to_numpy() for name in NEEDED}
    positions = 1 + int(columns["position"].max())
    if positions > provenance["context"]:
        raise InputError(
            f"datasets.{tokens['dataset']}.repetitions: {tokens['copies']} copies take "
            f"{positions} positions, but a model sees only {provenance['context']} at once; "
            f"lower it or raise measurement.context"
        )
    return columns, provenance


if __name__ == "__main__":
    run(describe_repetition)
