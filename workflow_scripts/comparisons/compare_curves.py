"""The command that compares two ensembles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..running.command import run
from ..semstat.comparisons.comparison import Difference, difference, distance
from ..semstat.comparisons.tables import COMPARISON, DISTANCES
from ..semstat.errors import blamed_on
from ..semstat.provenance import Identity, Provenance
from ..semstat.tables import table_of, table_of_rows, write_table
from ..semstat.thermodynamics.energy_grid import energy_edges
from ..thermodynamics.merging import Intervals, merged


def compare_curves(
    *,
    states_a: list[Path],
    layer_a: int,
    states_b: list[Path],
    layer_b: int,
    paired: bool = False,
    permutations: int = 4999,
    intervals: Intervals = Intervals(),
    distances: Path,
    out: Path,
) -> None:
    """Compare two ensembles: the difference of their curves, and how far apart their energies are.

    Parameters
    ----------
    states_a : state counts of a, a Parquet file a shard.
    layer_a : layer of a.
    states_b : state counts of b, a Parquet file a shard.
    layer_b : layer of b.
    paired : both are of the same documents.
    permutations : choices of signs of what blocks of documents add to a distance.
    distances : Parquet file of distances to make, a single row.
    out : Parquet file of differences to make, a minus b.
    """
    sums_a, provenance_a = merged(states_a, [layer_a])
    sums_b, provenance_b = merged(states_b, [layer_b])
    counts_a, counts_b = sums_a[layer_a].counts, sums_b[layer_b].counts
    edges_e, rng = energy_edges(), intervals.rng()
    resamples, confidence = intervals.resamples, intervals.confidence
    row: dict[str, Any] = {"layer_a": layer_a, "layer_b": layer_b, "paired": paired}
    names = []
    for side, provenance, counts in (("a", provenance_a, counts_a), ("b", provenance_b, counts_b)):
        model, dataset, _ = Identity.of(provenance)
        row |= {f"model_{side}": model, f"dataset_{side}": dataset}
        row[f"states_{side}"] = int(counts.counts_be.sum())
        names.append(f"{model} on {dataset}")
    with blamed_on(f"comparing {' and '.join(names)}"):
        apart = difference(counts_a, counts_b, edges_e, rng, paired, resamples, confidence)
        row |= distance(counts_a, counts_b, edges_e, rng, paired, permutations)._asdict()
    row["differs_from"], row["differs_to"] = _where_entropies_differ(apart)
    provenance = Provenance(a=provenance_a, b=provenance_b, paired=paired)
    provenance = provenance.then("compared by", "numpy", "scipy")
    write_table(distances, table_of_rows([row], DISTANCES), provenance)
    write_table(out, table_of(apart.columns(), COMPARISON), provenance)


def _where_entropies_differ(apart: Difference) -> tuple[float, float]:
    """Lowest and highest energy at which the band of S_a − S_b excludes 0; NaN if it never does."""
    apart_e: NDArray[np.bool_] = apart.entropy.band_low * apart.entropy.band_high > 0
    energies = apart.energy[apart_e]
    return (float(energies[0]), float(energies[-1])) if len(energies) else (np.nan, np.nan)


if __name__ == "__main__":
    run(compare_curves)
