"""The command that draws what is conserved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running.command import run
from ..semstat.figures import save
from ..semstat.mechanics.figures import NUMBER_LABELS, draw_conservation
from ..semstat.mechanics.tables import MECHANICS
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table


def plot_mechanics(mechanics: list[Path], /, *, svg: list[Path], pdf: list[Path]) -> None:
    """Draw how nearly a kinetic plus a potential term is conserved, by model and layer.

    Parameters
    ----------
    mechanics : Parquet files of mechanics.
    svg : figures to make, in folders named after what they draw: variance_ratio or cv; of each, one
        a dataset, in the order in which the datasets come.
    pdf : the same figures.
    """
    lines: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for path in mechanics:
        table = read_table(path, MECHANICS)
        provenance = provenance_of(table.schema)
        model, dataset, _ = Identity.of(provenance)
        blocks = provenance["model"]["source"]["blocks"]
        rows = [row | {"blocks": blocks} for row in table.to_pylist()]
        lines.setdefault(dataset, {})[model] = rows
    numbers = [number for number in NUMBER_LABELS if number in {path.parent.name for path in svg}]
    drawn = [(number, dataset) for number in numbers for dataset in lines]
    for (number, dataset), *paths in zip(drawn, svg, pdf, strict=True):
        if {path.parent.name for path in paths} != {number}:
            raise ValueError(f"{paths[0]}: is no place for a figure of {number}")
        save(draw_conservation(lines[dataset], number, dataset), paths)


if __name__ == "__main__":
    run(plot_mechanics)
