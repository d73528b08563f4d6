"""The command that describes what a condition writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from ..running.command import run
from ..semstat.errors import InputError
from ..semstat.generation import description
from ..semstat.generation.columns import POSITIONS, RUNS
from ..semstat.generation.tables import CONDITIONS, ENTROPIES
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table

SAME = ("model", "tokens", "writing", "method")
"""What the provenance of runs and of their entropies must say alike."""


def describe_runs(
    *,
    runs: Path,
    positions: Path,
    condition: str,
    target: float | None = None,
    fit_to: int = 300,
    confidence: float = 0.95,
    out: Path,
    entropies: Path,
) -> None:
    """Describe what a condition writes, on average over prompts, with intervals.

    Parameters
    ----------
    runs : Parquet file of runs.
    positions : Parquet file of their entropies by position.
    condition : name of the condition.
    target : marginal entropy that was to be held, nats; by default that of the schedule, if any.
    fit_to : positions, the first, that errors are told of apart from those of later ones.
    confidence : coverage of intervals.
    out : Parquet file of the condition to make.
    entropies : Parquet file of its entropies by position to make.
    """
    position_table, run_table = read_table(positions, POSITIONS), read_table(runs, RUNS)
    provenance = provenance_of(position_table.schema)
    of_runs = provenance_of(run_table.schema)
    for key in SAME:
        if provenance[key] != of_runs[key]:
            raise InputError(
                f"{runs}: not the runs of {positions}, which differ in `{key}`; give the two files "
                f"of one condition"
            )
    schedule = provenance["method"].get("schedule", {})
    target = _aimed_at(schedule, target, positions)
    held_out = position_table.filter(pc.field("held_out"))["doc"].to_pylist()
    if seen := sorted(set(held_out) & set(schedule.get("documents", []))):
        raise InputError(
            f"{positions}: document {seen[0]} is not held out, as the schedule was found on it; "
            f"find and use a schedule with the same `found_on`"
        )
    model, dataset, _ = Identity.of(provenance)
    head: dict[str, Any] = {"model": model, "dataset": dataset, "condition": condition}
    head["method"] = schedule.get("schedule", provenance["method"]["method"])
    prompted = description.Prompted.of(position_table)
    by_position = description.describe_entropies(prompted, provenance["sizes"], confidence)
    described = description.describe_condition(prompted, run_table, target, fit_to, confidence)
    provenance = provenance.then(
        "described by", "numpy", "scipy", confidence=confidence, target=target, fit_to=fit_to
    )
    write_table(
        entropies, table_of_rows([head | row for row in by_position], ENTROPIES), provenance
    )
    head |= {"target": target, "fit_to": fit_to}
    head |= {name: schedule.get(name, 0) for name in ("spent_tokens", "spent_seconds")}
    write_table(out, table_of_rows([head | row for row in described], CONDITIONS), provenance)


def _aimed_at(schedule: dict[str, Any], target: float | None, path: Path) -> float | None:
    """The target to judge by."""
    own: float | None = schedule.get("target")
    if None not in (own, target) and own != target:
        raise InputError(
            f"{path}: written by a schedule that was to hold {own} nats, not {target}; leave out "
            f"--target"
        )
    return own if target is None else target


if __name__ == "__main__":
    run(describe_runs)
