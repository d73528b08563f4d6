"""The command that reweights states to inverse temperatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..running.command import run
from ..semstat.errors import blamed_on
from ..semstat.tables import floats, read_table, table_of, write_table
from ..semstat.thermodynamics.canonical import reweight
from ..semstat.thermodynamics.energy_grid import energy_edges
from ..semstat.thermodynamics.tables import CANONICAL, CURVES
from .merging import Intervals, merged

SMALLEST = 0.01
"""Smallest |β| above 0, 1/probability: energies differ by at most 2, so there ln Z is straight."""

PER_DECADE = 20
"""Inverse temperatures per decade of |β|."""


def reweight_states(
    states: list[Path],
    /,
    *,
    layer: int,
    curves: Path,
    largest: float = 1000.0,
    intervals: Intervals = Intervals(),
    out: Path,
) -> None:
    """Turn the state counts of one ensemble into its canonical averages at inverse temperatures β.

    Parameters
    ----------
    states : state counts, a Parquet file a shard.
    layer : layer to reweight.
    curves : its curves, for ln ρ within a cell of the energy grid.
    largest : largest |β|, 1/probability.
    out : Parquet file to make.
    """
    sums, provenance = merged(states, [layer])
    columns = floats(read_table(curves, CURVES))
    decades = np.log10(largest / SMALLEST)
    positive_q = np.geomspace(SMALLEST, largest, round(decades * PER_DECADE) + 1)
    with blamed_on(str(states[0])):
        canonical = reweight(
            sums[layer].counts,
            energy_edges(),
            columns["surface_entropy"],
            np.concatenate([-positive_q[::-1], [0.0], positive_q]),
            intervals.rng(),
            intervals.resamples,
            intervals.confidence,
        )
    provenance = provenance.then("estimated by", "numpy", "scipy", layer=layer)
    write_table(out, table_of(canonical.columns(), CANONICAL), provenance)


if __name__ == "__main__":
    run(reweight_states)
