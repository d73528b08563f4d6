"""The command that describes volumes: S(E) of pairs of tokens, and on average."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..running.command import run
from ..semstat.errors import InputError
from ..semstat.provenance import Identity, Provenance
from ..semstat.statistics.curve import Interval
from ..semstat.tables import (
    interval_columns,
    provenance_of,
    read_table,
    table_of,
    table_of_rows,
    write_table,
)
from ..semstat.thermodynamics.energy_grid import energy_edges
from ..semstat.thermodynamics.tables import WELLS as TEXT_WELLS
from ..semstat.volumes.columns import RUNS
from ..semstat.volumes.description import (
    average,
    describe_pairs,
    describe_wells,
    interval_of_each,
    text_wells,
)
from ..semstat.volumes.entropy import entropy
from ..semstat.volumes.tables import CURVES, ENTROPIES, PAIRS, VOLUMES
from ..semstat.volumes.temperature import (
    average_temperature,
    log_slope,
    temperature_of_each,
)
from ..semstat.volumes.trace import Settings, Trace, gather

SHARED = ("walkers", "culled", "moves", "bottom", "depth")
"""Of how pairs are sampled, what all have in common."""


def describe_volumes(
    runs: list[Path],
    /,
    *,
    wells: Path | None = None,
    confidence: float = 0.95,
    entropies: Path,
    curves: Path,
    pairs: Path,
    out: Path,
) -> None:
    """Describe volumes: S(E) of each pair of tokens and on average, and how deep wells lie.

    Parameters
    ----------
    runs : Parquet files of one space, as the commands of spaces write them, a group of pairs each.
    wells : Parquet file of the wells of text, at the layers of the same model.
    confidence : coverage of intervals.
    entropies : Parquet file of each pair's S(E) to make.
    curves : Parquet file of their averages to make.
    pairs : Parquet file of numbers of each pair to make.
    out : Parquet file of numbers of all of them to make.
    """
    rows, trace, provenance = _read(runs)
    model, dataset, layer = Identity.of(provenance)
    head = {"model": model, "dataset": dataset, "layer": layer}
    head |= {name: provenance[name] for name in ("space", "measure")}
    head["against"] = provenance["sampling"]["against"]
    energy_e = energy_edges()
    value, slope = entropy(trace, energy_e), log_slope(trace, energy_e)
    each = {
        "entropy": interval_of_each(value, confidence),
        "temperature": temperature_of_each(slope, confidence),
    }
    of_pairs = [row | of for row, of in zip(rows, describe_pairs(trace, confidence), strict=True)]
    of_text = _of_text(wells if head["against"] == "correct" else None, layer)
    of_all = text_wells(of_text) | describe_wells(trace, of_pairs, confidence)
    of_all |= {"pairs": len(rows), "walkers": trace.settings.walkers}
    of_all |= {"evaluations": trace.evaluations_r.sum()}
    means = average(trace, energy_e, confidence)
    of_energy = {
        "energy": energy_e, "reached": means.reached, "effective_pairs": means.effective
    }  # fmt: skip
    averages = {name: getattr(means, name) for name in ("entropy", "typical")}
    averages |= average_temperature(slope, value.value, confidence)
    pair_z = np.repeat([row["pair"] for row in rows], len(energy_e))
    energy_z = np.tile(energy_e, len(rows))
    flat = {name: Interval(*(part.ravel() for part in of)) for name, of in each.items()}
    provenance = provenance.then("described by", "numpy", "scipy", confidence=confidence)
    for path, table in (
        (
            entropies,
            table_of({"pair": pair_z, "energy": energy_z} | _bounds(**flat), ENTROPIES),
        ),
        (
            curves,
            table_of(of_energy | _bounds(**averages), CURVES),
        ),
        (pairs, table_of_rows([_flat(head | row) for row in of_pairs], PAIRS)),
        (out, table_of_rows([_flat(head | of_all)], VOLUMES)),
    ):
        write_table(path, table, provenance)


def _read(runs: list[Path]) -> tuple[list[dict[str, Any]], Trace, Provenance]:
    """Rows of all pairs in their order, their trace, and what they share of their provenance.

    Raises
    ------
    InputError
        If files are not of one space, sampled in one way.
    """
    rows: list[dict[str, Any]] = []
    shared: dict[Path, Any] = {}
    for path in runs:
        table = read_table(path, RUNS)
        provenance = provenance_of(table.schema)
        rows += table.to_pylist()
        shared[path] = (
            *Identity.of(provenance),
            *(provenance[name] for name in ("space", "measure")),
            *(provenance["sampling"][name] for name in (*SHARED, "against")),
        )
        if shared[path] != shared[runs[0]]:
            raise InputError(
                f"{path}: sampled otherwise than {runs[0]} ({shared[path]}, not "
                f"{shared[runs[0]]}); give files of one space"
            )
    rows.sort(key=lambda row: row["pair"])
    settings = Settings(*(provenance["sampling"][name] for name in SHARED))
    return rows, gather(settings, rows), provenance


def _of_text(wells: Path | None, layer: int | None) -> dict[str, Any]:
    """The row of the wells of text at a layer; of nothing where no table is given."""
    if wells is None:
        return dict.fromkeys(TEXT_WELLS.names)
    rows: list[dict[str, Any]] = read_table(wells, TEXT_WELLS).to_pylist()
    at_layer = [row for row in rows if row["layer"] == layer]
    if not at_layer:
        raise InputError(f"{wells}: has no layer {layer}; name it in the model's `layers`")
    return at_layer[0]


def _bounds(**intervals: Interval[Any]) -> dict[str, Any]:
    return dict(interval_columns(intervals))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row in which intervals are columns."""
    bounded = {name: value for name, value in row.items() if isinstance(value, Interval)}
    return row | interval_columns(bounded)


if __name__ == "__main__":
    run(describe_volumes)
