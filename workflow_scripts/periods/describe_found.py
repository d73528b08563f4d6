"""The command that tells whether energies find the periods of loops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running.command import run
from ..semstat.errors import InputError
from ..semstat.periods.found import describe_repeated, describe_written
from ..semstat.periods.onset_tables import FOUND
from ..semstat.provenance import Identity
from ..semstat.tables import table_of_rows, write_table
from .joining import Documents, documents_of
from .layers import Layer, read_layers


def describe_found(
    *,
    own: list[Path],
    null: list[Path],
    tokens: list[Path],
    confidence: float = 0.95,
    out: Path,
) -> None:
    """Tell in how many documents the period that energies find is the one that is known.

    Known is that of a unit that was repeated, or of a loop that the model wrote.

    Parameters
    ----------
    own : loop energies of a `repeated` or `generated` dataset, a Parquet file a layer and shard.
    null : those with the history of another place, in the same order.
    tokens : tokens of the dataset, a Parquet file a shard.
    confidence : coverage of intervals.
    out : Parquet file to make, a row a layer, and number of copies where a unit is repeated.
    """
    rows: list[dict[str, Any]] = []
    documents = documents_of(tokens)
    for of in read_layers(own, null, tokens, ["last", "top"]):
        who = Identity.of(of.provenance)
        head = {"model": who.model, "dataset": who.dataset, "layer": of.layer}
        rows += [head | row for row in _found(of, own[0], documents, confidence)]
    said = of.provenance.then("described by", "numpy", "scipy", confidence=confidence)
    write_table(out, table_of_rows(rows, FOUND), said)


def _found(of: Layer, path: Path, documents: Documents, confidence: float) -> list[dict[str, Any]]:
    """Rows of one layer."""
    ensemble = of.provenance["tokens"]["ensemble"]
    if ensemble == "repeated":
        context = of.provenance["context"]
        return describe_repeated(of.own, of.null, of.periods, context, confidence)
    if ensemble == "generated":
        return [describe_written(of.own, of.null, documents, of.periods, confidence)]
    raise InputError(f"{path}: is of no `repeated` or `generated` dataset; give one that is")


if __name__ == "__main__":
    run(describe_found)
