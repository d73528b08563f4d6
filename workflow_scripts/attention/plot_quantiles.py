"""The command that draws states by quantiles of measures."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.attention.figures import draw_entropies, draw_groups
from ..semstat.attention.tables import GROUPS, VOLUMES
from ..semstat.figures import save
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table


def plot_quantiles(*, groups: Path, volumes: Path, svg: list[Path], pdf: list[Path]) -> None:
    """Draw what energy is like by quantiles of each measure, of one model on one dataset.

    Parameters
    ----------
    groups : Parquet file of states by quantiles.
    volumes : Parquet file of their Ω.
    svg : figures to make: Ω(0⁻) and ⟨H⟩ at each layer, and S(E) at the last one.
    pdf : the same figures.
    """
    table = read_table(groups, GROUPS)
    of = Identity.of(provenance_of(table.schema))
    title = f"{of.model} on {of.dataset}"
    drawn = [
        draw_groups(table.to_pylist(), title),
        draw_entropies(read_table(volumes, VOLUMES).to_pylist(), title),
    ]
    for figure, *paths in zip(drawn, svg, pdf, strict=True):
        save(figure, paths)


if __name__ == "__main__":
    run(plot_quantiles)
