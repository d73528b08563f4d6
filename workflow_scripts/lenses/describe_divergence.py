"""Tabulate how far each inner layer is from the final distribution, as either lens reads it out.

Takes what the training of a tuned lens has found on the documents that it held out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..running import command
from ..semstat.lenses.columns import LENS_SUMS
from ..semstat.lenses.divergence import describe_divergence
from ..semstat.lenses.tables import LENSES
from ..semstat.provenance import software
from ..semstat.tables import provenance_of, read_table, write_table


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("sums", type=Path, help="Parquet file of a lens's held-out documents")
    parser.add_argument("--confidence", type=float, default=0.95, help="coverage of intervals")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    sums = read_table(arguments.sums, LENS_SUMS)
    provenance = provenance_of(sums.schema)
    rows = []
    for layer in pc.unique(sums["layer"]).to_pylist():
        of_layer = sums.filter(pc.field("layer") == layer)
        states_d = of_layer["states"].to_numpy()
        sum_d2 = np.column_stack([of_layer[lens] for lens in ("logit_lens", "tuned_lens")])
        row = {"model": provenance["model"]["model"], "layer": layer}
        row |= {key: provenance[key] for key in ("trained_documents", "trained_states")}
        row |= {"documents": len(states_d), "states": int(states_d.sum())}
        rows.append(row | describe_divergence(sum_d2, states_d, arguments.confidence))
    provenance |= {"confidence": arguments.confidence, "tabulated by": software("numpy", "scipy")}
    write_table(arguments.out, pa.Table.from_pylist(rows, schema=LENSES), provenance)


if __name__ == "__main__":
    command.run(main)
