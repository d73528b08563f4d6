"""The command that describes what steering achieves."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.provenance import Identity
from ..semstat.steering import description
from ..semstat.steering.columns import STEERED_STATES
from ..semstat.steering.tables import EFFECTS
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table


def describe_effects(states: Path, /, *, confidence: float = 0.95, out: Path) -> None:
    """Describe what steering achieves, on average over documents, with intervals.

    Parameters
    ----------
    states : Parquet file of steer_states.
    confidence : coverage of intervals.
    out : Parquet file to make.
    """
    table = read_table(states, STEERED_STATES)
    provenance = provenance_of(table.schema)
    model, dataset, _ = Identity.of(provenance)
    head = {"model": model, "dataset": dataset}
    rows = description.describe_effects(table.to_pylist(), confidence)
    provenance = provenance.then("described by", "numpy", "scipy", confidence=confidence)
    write_table(out, table_of_rows([head | row for row in rows], EFFECTS), provenance)


if __name__ == "__main__":
    run(describe_effects)
