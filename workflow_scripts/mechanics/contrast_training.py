"""The command that contrasts trained models with their random twins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from ..running.command import run
from ..semstat.mechanics.tables import MECHANICS, MEMBER
from ..semstat.tables import completed, interval_columns, read_table

CONTRASTED = ("kinetic_mean", "potential_mean", "sd", "cv", "variance_ratio")

Row = dict[str, Any]


def contrast_training(*, trained: list[Path], random: list[Path], out: Path) -> None:
    """Contrast the mechanics of trained models with those of their random twins, in a CSV file.

    A row a dataset, layer, place and combination of terms, trained less random. The intervals add
    the errors of both as if independent; they are of the same documents, so they are rather too
    wide.

    Parameters
    ----------
    trained : mechanics of trained models, Parquet files.
    random : mechanics of their random twins on the same datasets, in the same order.
    out : CSV file to make.
    """
    rows = [
        contrast(of_trained, of_random)
        for paths in zip(trained, random, strict=True)
        for of_trained, of_random in _matched(*paths)
    ]
    with completed(out) as (temporary,):
        csv.write_csv(pa.Table.from_pylist(rows), temporary)


def _matched(*paths: Path) -> Iterator[tuple[Row, Row]]:
    """Rows of two tables that are of the same layer, place and combination of terms."""
    trained, random = (
        {
            (row["layer"], row["place"], *(row[key] for key in MEMBER)): row
            for row in read_table(path, MECHANICS).to_pylist()
        }
        for path in paths
    )
    for key, row in trained.items():
        if key in random:
            yield row, random[key]


def contrast(trained: Row, random: Row) -> Row:
    """Numbers of the trained model less those of the random one, with their intervals."""
    row = {"model": trained["model"], "random": random["model"]}
    row |= {key: trained[key] for key in ("dataset", "layer", "place", *MEMBER)}
    for name in CONTRASTED:
        row |= {f"{name}_trained": trained[name], f"{name}_random": random[name]}
        if trained[name] is not None and random[name] is not None:
            difference = trained[name] - random[name]
            half = np.hypot(*(side[f"{name}_high"] - side[name] for side in (trained, random)))
            bounds = difference, difference - half, difference + half
            row |= interval_columns({f"{name}_difference": bounds})
    return {key: float(f"{x:.4g}") if isinstance(x, float) else x for key, x in row.items()}


if __name__ == "__main__":
    run(contrast_training)
