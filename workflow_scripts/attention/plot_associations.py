"""The command that draws which measures go with low energy."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.attention.figures import draw_associations, draw_map
from ..semstat.attention.tables import ASSOCIATIONS
from ..semstat.figures import save
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table


def plot_associations(associations: list[Path], /, *, svg: list[Path], pdf: list[Path]) -> None:
    """Draw partial correlations of energy with each measure, by layer, over their null.

    Parameters
    ----------
    associations : Parquet files of correlations: a model's, and those of its random twins.
    svg : figures to make: by layer, and as a map of layers and measures.
    pdf : the same figures.
    """
    first, *others = [read_table(path, ASSOCIATIONS) for path in associations]
    of = Identity.of(provenance_of(first.schema))
    title = f"{of.model} on {of.dataset}"
    rows = first.to_pylist()
    beside = [row for table in others for row in table.to_pylist()]
    drawn = [draw_associations(rows, beside, title), draw_map(rows, beside, title)]
    for figure, *paths in zip(drawn, svg, pdf, strict=True):
        save(figure, paths)


if __name__ == "__main__":
    run(plot_associations)
