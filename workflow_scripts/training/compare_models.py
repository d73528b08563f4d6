"""The command that compares trained models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..running.command import run
from ..semstat.errors import InputError
from ..semstat.provenance import Provenance
from ..semstat.tables import read_table, table_of_rows, write_table
from ..semstat.training import doses
from ..semstat.training.corpus_columns import CORPORA
from ..semstat.training.tables import DOSES, GROUPS, NUMBERS
from .reading import about_snapshot, read_numbers

REPETITION = ("rep_1", "rep_2", "rep_3", "rep_4")


def compare_models(
    sums: list[Path],
    /,
    *,
    groups: str,
    continuations: list[Path] | None = None,
    corpora: list[Path] | None = None,
    confidence: float = 0.95,
    out_groups: Path,
    out_numbers: Path,
    out_doses: Path,
) -> None:
    """Tell what groups of trained models are like, and how that hangs on what they were trained on.

    Parameters
    ----------
    sums : Parquet files of sum_documents, of each model on each dataset.
    groups : models that differ in nothing but seeds, and what they are trained on: a list, as JSON.
    continuations : Parquet files of what such models write.
    corpora : Parquet files of describe_corpus, each called like a model that is trained on it.
    confidence : coverage of intervals.
    out_groups : Parquet file of the groups to make.
    out_numbers : that of their numbers.
    out_doses : that of slopes against doses, and of differences between groups.
    """
    described: list[dict[str, Any]] = json.loads(groups)
    numbers, snapshots = read_numbers(sums, continuations or [])
    repetition = {path.stem: read_table(path, CORPORA).to_pylist()[0] for path in corpora or []}
    for group in described:
        if missing := [model for model in group["models"] if model not in snapshots]:
            raise InputError(f"--groups: there are no sums of {missing[0]}; give its files too")
        found = repetition.get(group["models"][0], {})
        group |= {name: found.get(name) for name in REPETITION}
        group |= {"seeds": len(group["models"])}
        group |= {"parameters": snapshots[group["models"][0]]["parameters"]}
    about = {model: about_snapshot(snapshot) for model, snapshot in snapshots.items()}
    said = Provenance(models=about).then("compared by", "numpy", "scipy", confidence=confidence)
    rows = [group | {"models": ",".join(group["models"])} for group in described]
    write_table(out_groups, table_of_rows(rows, GROUPS), said)
    for out, schema, describe in (
        (out_numbers, NUMBERS, doses.describe_groups),
        (out_doses, DOSES, doses.describe_doses),
    ):
        write_table(out, table_of_rows(describe(described, numbers, confidence), schema), said)


if __name__ == "__main__":
    run(compare_models)
