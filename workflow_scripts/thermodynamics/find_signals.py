"""The command that searches entropies for signals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running.command import progress, run
from ..semstat.errors import blamed_on
from ..semstat.provenance import Identity
from ..semstat.tables import table_of_rows, write_table
from ..semstat.thermodynamics import inflection
from ..semstat.thermodynamics.energy_grid import energy_edges
from ..semstat.thermodynamics.tables import SIGNALS
from .merging import Intervals, merged


def find_signals(
    states: list[Path],
    /,
    *,
    layers: list[int],
    intervals: Intervals = Intervals(),
    out: Path,
) -> None:
    """Search the entropies of an ensemble's layers for transition-like signals, one a row.

    Parameters
    ----------
    states : state counts, a Parquet file a shard.
    layers : layers to search.
    out : Parquet file to make.
    """
    sums, provenance = merged(states, layers)
    model, dataset, _ = Identity.of(provenance)
    rows: list[dict[str, Any]] = []
    with progress(f"{model} {dataset}", "layers", len(sums)) as bar:
        for layer, of_layer in sums.items():
            with blamed_on(f"datasets.{dataset} (model {model}, layer {layer})"):
                signals = inflection.find_signals(
                    of_layer.counts,
                    energy_edges(),
                    intervals.rng(),
                    intervals.resamples,
                    intervals.confidence,
                )
            identity = {"model": model, "dataset": dataset, "layer": layer}
            rows += [identity | signal._asdict() for signal in signals]
            bar.update()
    provenance = provenance.then("estimated by", "numpy", "scipy")
    write_table(out, table_of_rows(rows, SIGNALS), provenance)


if __name__ == "__main__":
    run(find_signals)
