"""The command that tells whether energies see loops coming that the model wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running.command import progress, run
from ..semstat.errors import InputError
from ..semstat.periods import onsets as physics
from ..semstat.periods.onset_tables import ONSETS, WARNINGS
from ..semstat.provenance import Identity
from ..semstat.tables import table_of_rows, write_table
from .joining import documents_of
from .layers import read_layers

NEEDED = ["last", "log_p_last", "log_p_correct", "energy", "entropy", "top"]


def describe_onsets(
    *,
    own: list[Path],
    null: list[Path],
    plain: list[Path] | None = None,
    tokens: list[Path],
    confidence: float = 0.95,
    out: Path,
    warnings: Path,
) -> None:
    """Tell what states are like before and in loops that a model wrote, beside others.

    Parameters
    ----------
    own : loop energies of a `generated` dataset, a Parquet file a layer and shard.
    null : those with the history of another place, in the same order.
    plain : energies without rivals, in the same order; without them H is left out.
    tokens : tokens of the dataset, a Parquet file a shard.
    confidence : coverage of intervals.
    out : Parquet file to make, a row a layer, observable and lag to the onset.
    warnings : Parquet file to make, a row a layer and observable.
    """
    documents = documents_of(tokens)
    approach = None
    rows: dict[Path, list[dict[str, Any]]] = {out: [], warnings: []}
    with progress("onsets of loops", "layers") as bar:
        for of in read_layers(own, null, tokens, NEEDED, plain or []):
            who = Identity.of(of.provenance)
            said = of.provenance["tokens"]
            if said["ensemble"] != "generated":
                raise InputError(
                    f"{own[0]}: is of no `generated` dataset; give one that the model wrote"
                )
            if approach is None:
                prompt = said["prompt_tokens"]
                approach = physics.Approach.of(of.own, documents, prompt, of.periods)
            observed = physics.observe(of.own, of.null, of.plain)
            head = {"model": who.model, "dataset": who.dataset, "layer": of.layer}
            found = physics.describe_onsets(of.own, approach, observed, confidence)
            for path, more in zip(rows, found, strict=True):
                rows[path] += [head | row for row in more]
            bar.update(1)
    provenance = of.provenance.then("described by", "numpy", "scipy", confidence=confidence)
    for path, schema in ((out, ONSETS), (warnings, WARNINGS)):
        write_table(path, table_of_rows(rows[path], schema), provenance)


if __name__ == "__main__":
    run(describe_onsets)
