"""The command that draws states in repetitions."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.attention.place_figures import draw_places
from ..semstat.attention.tables import PLACES
from ..semstat.figures import save
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table


def plot_places(places: Path, /, *, svg: Path, pdf: Path) -> None:
    """Draw what states are like as a token, or a phrase, comes again and again.

    Parameters
    ----------
    places : Parquet file of states by place.
    svg : figure to make.
    pdf : the same figure.
    """
    table = read_table(places, PLACES)
    of = Identity.of(provenance_of(table.schema))
    save(draw_places(table.to_pylist(), f"{of.model} on {of.dataset}"), [svg, pdf])


if __name__ == "__main__":
    run(plot_places)
