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
from .semstat.states import STATES, BlockSums, from_table, merge
from .semstat.tables import Provenance, provenance_of, read_table, write_table
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

    sums, provenance = merged(arguments.states, arguments.layers)
    provenance |= {"shards": len(arguments.states), "estimated by": software("numpy", "scipy")}
    edges_e = energy_edges()
    wells: list[dict[str, Any]] = []
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
        columns = {
            name: pa.array(column, from_pandas=True) for name, column in curves.columns().items()
        }
        write_table(out, pa.table(columns, schema=CURVES), provenance | {"layer": layer})
        row = {"model": arguments.model, "dataset": arguments.dataset, "layer": layer}
        row |= {"states": curves.states, "effective_states": curves.effective_states}
        for name, interval in describe_well(of_layer, edges_e, arguments.confidence).items():
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))
        wells.append(row)
        bar.update()
    bar.close()
    write_table(arguments.wells, pa.Table.from_pylist(wells, schema=WELLS), provenance)


def merged(paths: list[Path], layers: list[int]) -> tuple[dict[int, BlockSums], Provenance]:
    """Sums of each layer over all shards, one shard in memory at a time, and whose they are."""
    sums: dict[int, BlockSums] = {}
    for path in paths:
        table = read_table(path, STATES)
        provenance = provenance_of(table.schema)
        if provenance["grid"] != GRID or not set(layers) <= set(provenance["layers"]):
            raise InputError(
                f"{path}: counted on another energy grid or at other layers; "
                f"delete it and run snakemake again"
            )
        for layer in layers:
            part = from_table(table, layer)
            sums[layer] = merge([sums[layer], part]) if layer in sums else part
    return sums, provenance


if __name__ == "__main__":
    command.run(main)
