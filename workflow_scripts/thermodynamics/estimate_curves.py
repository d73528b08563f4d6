"""Turn the state counts of all shards of an ensemble into its curves and the numbers of its wells.

Writes one Parquet file of curves a layer, and one of well numbers with a row a layer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..running import command
from ..semstat.errors import InputError
from ..semstat.provenance import software
from ..semstat.tables import interval_columns, table_of, table_of_rows, write_table
from ..semstat.thermodynamics.curves import estimate_curves
from ..semstat.thermodynamics.energy_grid import energy_edges
from ..semstat.thermodynamics.tables import CURVES, WELLS
from ..semstat.thermodynamics.wells import describe_wells
from .state_files import add_interval_options, merged


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("states", nargs="+", type=Path, help="state counts, a file a shard")
    parser.add_argument("--model", required=True, help="name of the model")
    parser.add_argument("--dataset", required=True, help="name of the dataset")
    parser.add_argument("--layers", required=True, type=int, nargs="+", help="layers to estimate")
    add_interval_options(parser)
    parser.add_argument("--wells", required=True, type=Path, help="Parquet file of well numbers")
    parser.add_argument("--out", required=True, nargs="+", help="Parquet files of curves, by layer")
    arguments = parser.parse_args()

    sums, provenance = merged(arguments.states, arguments.layers)
    provenance |= {"shards": len(arguments.states), "estimated by": software("numpy", "scipy")}
    edges_e = energy_edges()
    rows: list[dict[str, Any]] = []
    bar = command.progress(f"{arguments.model} {arguments.dataset}", "layers", len(sums))
    for (layer, of_layer), out in zip(sums.items(), arguments.out, strict=True):
        try:
            curves = estimate_curves(
                of_layer.counts,
                edges_e,
                np.random.default_rng(arguments.seed),
                arguments.resamples,
                arguments.confidence,
            )
        except ValueError as error:
            raise InputError(
                f"datasets.{arguments.dataset}: {error} (model {arguments.model}, layer {layer})"
            ) from error
        write_table(out, table_of(curves.columns(), CURVES), provenance | {"layer": layer})
        row = {"model": arguments.model, "dataset": arguments.dataset, "layer": layer}
        row |= {"states": curves.states, "effective_states": curves.effective_states}
        rows.append(row)
        bar.update()
    bar.close()
    rng = np.random.default_rng(arguments.seed)
    wells, deepest_l = describe_wells(
        list(sums.values()), edges_e, rng, arguments.resamples, arguments.confidence
    )
    for row, well, deepest in zip(rows, wells, deepest_l, strict=True):
        row |= {"deepest": deepest} | interval_columns(well)
    write_table(arguments.wells, table_of_rows(rows, WELLS), provenance)


if __name__ == "__main__":
    command.run(main)
