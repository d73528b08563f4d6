"""The command that says what a study found."""

from __future__ import annotations

import json
from pathlib import Path

from ..running.command import run
from ..semstat.provenance import Identity
from ..semstat.tables import completed, provenance_of, read_table
from ..semstat.thermodynamics.summary import Ensemble, Found, summarise
from ..semstat.thermodynamics.tables import WELLS
from ..semstat.thermodynamics.verdicts import depth_of


def summarise_wells(
    wells: list[Path],
    /,
    *,
    null_models: str = "{}",
    null_datasets: str = "{}",
    confidence: float = 0.95,
    out: Path,
) -> None:
    """Say in words and in one table whether there are repetition wells at the last layer.

    Parameters
    ----------
    wells : Parquet files of well numbers, in the order in which to say it.
    null_models : random twins and the like, and the model that each is a null of, as JSON.
    null_datasets : shuffled or random tokens and the text that they are made of, as JSON.
    confidence : coverage that the intervals have.
    out : text file to make.
    """
    found = dict(map(_read, wells))
    text = summarise(found, json.loads(null_models), json.loads(null_datasets), confidence)
    with completed(out) as (temporary,):
        temporary.write_text(text, encoding="utf-8")


def _read(path: Path) -> tuple[Ensemble, Found]:
    table = read_table(path, WELLS)
    provenance = provenance_of(table.schema)
    model, dataset, _ = Identity.of(provenance)
    rows = sorted(table.to_pylist(), key=lambda row: row["layer"])
    last, source = rows[-1], provenance["model"]["source"]
    return Ensemble(model, dataset), Found(
        last["layer"],
        source["blocks"],
        provenance["readout"],
        last["states"],
        depth_of(last),
        {row["layer"]: row["deepest"] for row in rows if row["deepest"] is not None},
        source["source"] == "random",
        provenance.get("rivals_of", {}).get("periods"),
    )


if __name__ == "__main__":
    run(summarise_wells)
