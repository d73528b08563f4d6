"""The command that estimates curves and wells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running.command import progress, run
from ..semstat.errors import blamed_on
from ..semstat.provenance import Identity
from ..semstat.tables import interval_columns, table_of, table_of_rows, write_table
from ..semstat.thermodynamics.curves import estimate_curves as estimate
from ..semstat.thermodynamics.energy_grid import energy_edges
from ..semstat.thermodynamics.tables import CURVES, WELLS
from ..semstat.thermodynamics.wells import describe_wells
from .merging import Intervals, merged


def estimate_curves(
    states: list[Path],
    /,
    *,
    layers: list[int],
    intervals: Intervals = Intervals(),
    wells: Path,
    out: list[Path],
) -> None:
    """Turn the state counts of all shards of an ensemble into its curves and its wells' numbers.

    Parameters
    ----------
    states : state counts, a Parquet file a shard.
    layers : layers to estimate.
    wells : Parquet file of well numbers to make, a row a layer.
    out : Parquet files of curves to make, one a layer.
    """
    sums, provenance = merged(states, layers)
    model, dataset, _ = Identity.of(provenance)
    provenance = provenance.then("estimated by", "numpy", "scipy", shards=len(states))
    edges_e = energy_edges()
    rows: list[dict[str, Any]] = []
    with progress(f"{model} {dataset}", "layers", len(sums)) as bar:
        for (layer, of_layer), path in zip(sums.items(), out, strict=True):
            with blamed_on(f"datasets.{dataset} (model {model}, layer {layer})"):
                curves = estimate(
                    of_layer.counts,
                    edges_e,
                    intervals.rng(),
                    intervals.resamples,
                    intervals.confidence,
                )
            write_table(path, table_of(curves.columns(), CURVES), provenance | {"layer": layer})
            row = {"model": model, "dataset": dataset, "layer": layer}
            row |= {"states": curves.states, "effective_states": curves.effective_states}
            rows.append(row)
            bar.update()
    numbers, deepest_l = describe_wells(
        list(sums.values()), edges_e, intervals.rng(), intervals.resamples, intervals.confidence
    )
    for row, number, deepest in zip(rows, numbers, deepest_l, strict=True):
        row |= {"deepest": deepest} | interval_columns(number)
    write_table(wells, table_of_rows(rows, WELLS), provenance)


if __name__ == "__main__":
    run(estimate_curves)
