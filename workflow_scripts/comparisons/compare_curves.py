"""Compare two ensembles: the difference of their curves, and how far apart their energies are.

Writes one Parquet file of differences, a minus b, and one of distances with a single row.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..running import command
from ..semstat.comparisons.comparison import Difference, difference, distance
from ..semstat.comparisons.tables import COMPARISON, DISTANCES
from ..semstat.errors import InputError
from ..semstat.provenance import software
from ..semstat.tables import table_of, table_of_rows, write_table
from ..semstat.thermodynamics.energy_grid import energy_edges
from ..thermodynamics.state_files import add_interval_options, merged


def main() -> None:
    parser = command.parser(__doc__)
    for side in "ab":
        parser.add_argument(
            f"--states-{side}", required=True, nargs="+", type=Path,
            help=f"state counts of {side}, a file a shard",
        )  # fmt: skip
        parser.add_argument(f"--layer-{side}", required=True, type=int, help=f"layer of {side}")
    parser.add_argument("--paired", action="store_true", help="both are of the same documents")
    add_interval_options(parser)
    parser.add_argument("--permutations", type=int, default=4999, help="permutations of the blocks")
    parser.add_argument("--distances", required=True, type=Path, help="Parquet file of distances")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file of differences")
    arguments = parser.parse_args()

    sums_a, provenance_a = merged(arguments.states_a, [arguments.layer_a])
    sums_b, provenance_b = merged(arguments.states_b, [arguments.layer_b])
    counts_a, counts_b = sums_a[arguments.layer_a].counts, sums_b[arguments.layer_b].counts
    edges_e, paired = energy_edges(), arguments.paired
    rng = np.random.default_rng(arguments.seed)
    row = {"layer_a": arguments.layer_a, "layer_b": arguments.layer_b, "paired": paired}
    for side, provenance, counts in (("a", provenance_a, counts_a), ("b", provenance_b, counts_b)):
        row[f"model_{side}"] = provenance["model"]["model"]
        row[f"dataset_{side}"] = provenance["tokens"]["dataset"]
        row[f"states_{side}"] = int(counts.counts_be.sum())
    try:
        apart = difference(
            counts_a, counts_b, edges_e, rng, paired, arguments.resamples, arguments.confidence
        )
        row |= distance(counts_a, counts_b, edges_e, rng, paired, arguments.permutations)._asdict()
    except ValueError as error:
        pair = " and ".join(f"{row[f'model_{s}']} on {row[f'dataset_{s}']}" for s in "ab")
        raise InputError(f"comparing {pair}: {error}") from error
    row["differs_from"], row["differs_to"] = _where_entropies_differ(apart)
    provenance = {"a": provenance_a, "b": provenance_b, "paired": paired}
    provenance |= {"compared by": software("numpy", "scipy")}
    write_table(arguments.distances, table_of_rows([row], DISTANCES), provenance)
    write_table(arguments.out, table_of(apart.columns(), COMPARISON), provenance)


def _where_entropies_differ(apart: Difference) -> tuple[float, float]:
    """Lowest and highest energy at which the band of S_a − S_b excludes 0; NaN if it never does."""
    apart_e: NDArray[np.bool_] = apart.entropy.band_low * apart.entropy.band_high > 0
    energies = apart.energy[apart_e]
    return (float(energies[0]), float(energies[-1])) if len(energies) else (np.nan, np.nan)


if __name__ == "__main__":
    command.run(main)
