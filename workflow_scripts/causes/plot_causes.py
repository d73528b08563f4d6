"""The command that draws causes."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.causes.figures import draw_doses, draw_remains
from ..semstat.causes.tables import CAUSES
from ..semstat.errors import InputError
from ..semstat.figures import save
from ..semstat.tables import read_table


def plot_causes(causes: Path, /, *, dataset: str, svg: list[Path], pdf: list[Path]) -> None:
    """Draw what is done to models against what they then do, of one dataset.

    Parameters
    ----------
    causes : Parquet file of describe_causes.
    dataset : that models read, and whose beginnings they continue.
    svg : figures to make: by dose, and beside each other at equal surprisal.
    pdf : the same figures.
    """
    rows = [row for row in read_table(causes, CAUSES).to_pylist() if row["dataset"] == dataset]
    if not rows:
        raise InputError(f"{causes}: has no cause of {dataset}; name a dataset that one is of")
    for draw, *paths in zip((draw_doses, draw_remains), svg, pdf, strict=True):
        save(draw(rows, dataset), paths)


if __name__ == "__main__":
    run(plot_causes)
