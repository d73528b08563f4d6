"""Search the entropies of an ensemble's layers for transition-like signals, one a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..running import command
from ..semstat.errors import InputError
from ..semstat.provenance import software
from ..semstat.tables import table_of_rows, write_table
from ..semstat.thermodynamics.energy_grid import energy_edges
from ..semstat.thermodynamics.inflection import find_signals
from ..semstat.thermodynamics.tables import SIGNALS
from .state_files import add_interval_options, merged


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("states", nargs="+", type=Path, help="state counts, a file a shard")
    parser.add_argument("--layers", required=True, type=int, nargs="+", help="layers to search")
    add_interval_options(parser)
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    sums, provenance = merged(arguments.states, arguments.layers)
    model, dataset = provenance["model"]["model"], provenance["tokens"]["dataset"]
    rows: list[dict[str, Any]] = []
    bar = command.progress(f"{model} {dataset}", "layers", len(sums))
    for layer, of_layer in sums.items():
        rng = np.random.default_rng(arguments.seed)
        try:
            signals = find_signals(
                of_layer.counts, energy_edges(), rng, arguments.resamples, arguments.confidence
            )
        except ValueError as error:
            raise InputError(
                f"datasets.{dataset}: {error} (model {model}, layer {layer})"
            ) from error
        identity = {"model": model, "dataset": dataset, "layer": layer}
        rows += [identity | signal._asdict() for signal in signals]
        bar.update()
    bar.close()
    provenance |= {"estimated by": software("numpy", "scipy")}
    write_table(arguments.out, table_of_rows(rows, SIGNALS), provenance)


if __name__ == "__main__":
    command.run(main)
