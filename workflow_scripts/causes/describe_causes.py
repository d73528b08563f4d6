"""The command that puts causes side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..running.command import run
from ..semstat.attention.tables import STUDIED
from ..semstat.attention.tables import SUMS as ATTENDED
from ..semstat.causes.responses import Cause, of_attention
from ..semstat.causes.responses import describe_causes as describe
from ..semstat.causes.tables import CAUSES
from ..semstat.errors import InputError
from ..semstat.provenance import Identity, Provenance
from ..semstat.tables import provenance_of, read_table, table_of_rows, write_table
from ..semstat.training.observables import at_final_layer
from ..training.reading import Numbers, about_snapshot, read_numbers


def describe_causes(
    sums: list[Path],
    /,
    *,
    causes: str,
    continuations: list[Path] | None = None,
    attended: list[Path] | None = None,
    confidence: float = 0.95,
    out: Path,
) -> None:
    """Tell what models are like at each dose of what is done to them, and what remains of it.

    Parameters
    ----------
    sums : Parquet files of sum_documents, of each model on each dataset.
    causes : what they are called, their doses and what each is put beside: a list, as JSON.
    continuations : Parquet files of what models write.
    attended : Parquet files of sums of attention.
    confidence : coverage of intervals.
    out : Parquet file to make.
    """
    read, snapshots = read_numbers(sums, continuations or [])
    numbers: Numbers = {model: at_final_layer(of_model) for model, of_model in read.items()}
    for path in attended or []:
        table = read_table(path, ATTENDED)
        of = Identity.of(provenance_of(table.schema))
        column = {name: table[name].to_numpy() for name in table.column_names}
        numbers.setdefault(of.model, {}).update(of_attention(of.dataset, column, STUDIED))
    described = [_cause(spec, numbers) for spec in json.loads(causes)]
    rows = describe(described, numbers, confidence)
    about = {model: about_snapshot(snapshot) for model, snapshot in snapshots.items()}
    said = Provenance(models=about).then("described by", "numpy", "scipy", confidence=confidence)
    write_table(out, table_of_rows(rows, CAUSES), said)


def _cause(spec: dict[str, Any], numbers: Numbers) -> Cause:
    """A cause, whose doses are of models, or of a condition: each value of this is one then."""
    if "condition" in spec:
        doses = _by_value(numbers, spec["model"], spec["dataset"], spec["condition"])
    else:
        doses = spec["doses"]
    if missing := [model for model in doses if model not in numbers]:
        raise InputError(f"--causes: there are no sums of {missing[0]}; give its files too")
    return Cause(spec["cause"], spec["dataset"], doses, spec["beside"])


def _by_value(numbers: Numbers, model: str, dataset: str, condition: str) -> dict[str, float]:
    """Doses of what a model writes under a condition, whose numbers are added by value."""
    doses = {}
    written = {
        place: number
        for place, number in numbers.get(model, {}).items()
        if (place.dataset, place.condition) == (dataset, condition) and place.at is not None
    }
    if not written:
        raise InputError(
            f"--continuations: {model} writes nothing of {dataset} under a curve {condition}; "
            f"give its file too"
        )
    for place, number in written.items():
        name = f"{model}, {condition} at {place.at}"
        doses[name] = float(place.at or 0.0)
        numbers.setdefault(name, {})[place._replace(at=None)] = number
    return doses


if __name__ == "__main__":
    run(describe_causes)
