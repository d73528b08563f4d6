"""Turn the state counts of all shards of an ensemble into its curves and the numbers of its wells.

Writes one Parquet file of curves a layer, and one of well numbers with a row a layer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from . import command
from .semstat.curve_tables import CURVES, WELLS
from .semstat.curves import estimate_curves
from .semstat.energy_grid import GRID, energy_edges
from .semstat.errors import InputError
from .semstat.provenance import software
from .semstat.states import STATES, from_table, merge
from .semstat.tables import provenance_of, read_table, write_table
from .semstat.wells import describe_well


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("states", nargs="+", type=Path, help="state counts, a file a shard")
    parser.add_argument("--model", required=True, help="name of the model")
    parser.add_argument("--dataset", required=True, help="name of the dataset")
    parser.add_argument("--layers", required=True, type=int, nargs="+", help="layers to estimate")
    parser.add_argument("--confidence", type=float, default=0.95, help="coverage of intervals")
    parser.add_argument("--resamples", type=int, default=400, help="resamples of the blocks")
    parser.add_argument("--seed", type=int, default=0, help="seed of the resamples")
    parser.add_argument("--wells", required=True, type=Path, help="Parquet file of well numbers")
    parser.add_argument("--out", required=True, nargs="+", help="Parquet files of curves, by layer")
    arguments = parser.parse_args()

    tables = [_read(path) for path in arguments.states]
    provenance = provenance_of(tables[0].schema)
    provenance |= {"shards": len(tables), "estimated by": software("numpy", "scipy")}
    edges_e = energy_edges()
    wells: list[dict[str, Any]] = []
    for layer, out in zip(arguments.layers, arguments.out, strict=True):
        sums = merge(from_table(table, layer) for table in tables)
        where = f"model {arguments.model}, dataset {arguments.dataset}, layer {layer}"
        try:
            curves = estimate_curves(
                sums.counts,
                edges_e,
                np.random.default_rng(arguments.seed),
                arguments.resamples,
                arguments.confidence,
            )
        except ValueError as error:
            raise InputError(f"{where}: {error}") from error
        columns = {
            name: pa.array(column, from_pandas=True) for name, column in curves.columns().items()
        }
        write_table(out, pa.table(columns, schema=CURVES), provenance | {"layer": layer})
        well = describe_well(sums, edges_e, arguments.confidence)
        row = {"model": arguments.model, "dataset": arguments.dataset, "layer": layer}
        row |= {"states": curves.states, "effective_states": curves.effective_states}
        for name, (value, low, high) in well.items():
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        wells.append(row)
    write_table(arguments.wells, pa.Table.from_pylist(wells, schema=WELLS), provenance)


def _read(path: Path) -> pa.Table:
    table = read_table(path, STATES)
    if provenance_of(table.schema)["grid"] != GRID:
        raise InputError(
            f"{path}: counted on another energy grid; delete it and run snakemake again"
        )
    return table


if __name__ == "__main__":
    command.run(main)
