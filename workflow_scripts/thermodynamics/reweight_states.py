"""Turn the state counts of one ensemble into its canonical averages at inverse temperatures β."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..running import command
from ..semstat.errors import InputError
from ..semstat.provenance import software
from ..semstat.tables import table_of, write_table
from ..semstat.thermodynamics.canonical import reweight
from ..semstat.thermodynamics.energy_grid import energy_edges
from ..semstat.thermodynamics.tables import CANONICAL
from .curve_files import read_curves
from .state_files import add_interval_options, merged

SMALLEST = 0.01
"""Smallest |β| above 0, 1/probability: energies differ by at most 2, so there ln Z is straight."""

PER_DECADE = 20
"""Inverse temperatures per decade of |β|."""


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("states", nargs="+", type=Path, help="state counts, a file a shard")
    parser.add_argument("--layer", required=True, type=int, help="layer to reweight")
    parser.add_argument("--curves", required=True, type=Path, help="its curves, for ln ρ in a cell")
    parser.add_argument("--largest", type=float, default=1000.0, help="largest |β|, 1/probability")
    add_interval_options(parser)
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    sums, provenance = merged(arguments.states, [arguments.layer])
    _, columns = read_curves(arguments.curves)
    decades = np.log10(arguments.largest / SMALLEST)
    positive_t = np.geomspace(SMALLEST, arguments.largest, round(decades * PER_DECADE) + 1)
    try:
        canonical = reweight(
            sums[arguments.layer].counts,
            energy_edges(),
            columns["surface_entropy"],
            np.concatenate([-positive_t[::-1], [0.0], positive_t]),
            np.random.default_rng(arguments.seed),
            arguments.resamples,
            arguments.confidence,
        )
    except ValueError as error:
        raise InputError(f"{arguments.states[0]}: {error}") from error
    provenance |= {"layer": arguments.layer, "estimated by": software("numpy", "scipy")}
    write_table(arguments.out, table_of(canonical.columns(), CANONICAL), provenance)


if __name__ == "__main__":
    command.run(main)
