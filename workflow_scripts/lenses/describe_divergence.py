"""The command that describes what a tuned lens is worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..running.command import run
from ..semstat.lenses import divergence
from ..semstat.lenses.columns import LENS_SUMS
from ..semstat.lenses.tables import LENSES
from ..semstat.tables import provenance_of, read_table, write_table


def describe_divergence(sums: Path, /, *, confidence: float = 0.95, out: Path) -> None:
    """Tell how far each inner layer is from the final distribution, as either lens reads it out.

    Parameters
    ----------
    sums : what the training of a tuned lens has found on the documents that it held out.
    confidence : coverage of intervals.
    out : Parquet file to make.
    """
    table = read_table(sums, LENS_SUMS)
    provenance = provenance_of(table.schema)
    rows = []
    for layer in pc.unique(table["layer"]).to_pylist():
        of_layer = table.filter(pc.field("layer") == layer)
        states_d = of_layer["states"].to_numpy()
        sum_d2 = np.column_stack([of_layer[lens] for lens in ("logit_lens", "tuned_lens")])
        row = {"model": provenance["model"]["model"], "layer": layer}
        row |= {key: provenance[key] for key in ("trained_documents", "trained_states")}
        row |= {"documents": len(states_d), "states": int(states_d.sum())}
        rows.append(row | divergence.describe_divergence(sum_d2, states_d, confidence))
    provenance = provenance.then("described by", "numpy", "scipy", confidence=confidence)
    write_table(out, pa.Table.from_pylist(rows, schema=LENSES), provenance)


if __name__ == "__main__":
    run(describe_divergence)
