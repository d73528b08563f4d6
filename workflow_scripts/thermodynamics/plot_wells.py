"""The command that draws wells."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..running.command import run
from ..semstat.figures import save
from ..semstat.provenance import Identity
from ..semstat.tables import floats, provenance_of, read_table
from ..semstat.thermodynamics.figures import Line, draw_wells
from ..semstat.thermodynamics.tables import WELLS


def plot_wells(wells: list[Path], /, *, svg: list[Path], pdf: list[Path]) -> None:
    """Draw the wells of all models against the layer, one figure a dataset.

    Parameters
    ----------
    wells : Parquet files of well numbers.
    svg : figures to make, in the order in which the datasets come.
    pdf : the same figures.
    """
    figures: dict[str, list[Line]] = {}
    for path in wells:
        table = read_table(path, WELLS)
        provenance = provenance_of(table.schema)
        model, dataset, _ = Identity.of(provenance)
        columns = floats(table.drop_columns(["model", "dataset"]))
        blocks = provenance["model"]["source"]["blocks"]
        columns["blocks"] = np.full_like(columns["layer"], blocks)
        figures.setdefault(dataset, []).append(Line(model, columns))
    for (dataset, lines), *paths in zip(figures.items(), svg, pdf, strict=True):
        save(draw_wells(lines, dataset), paths)


if __name__ == "__main__":
    run(plot_wells)
