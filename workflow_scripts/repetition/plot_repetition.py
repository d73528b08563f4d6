"""The command that draws what repetition does."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.provenance import Identity
from ..semstat.repetition.figures import draw_repetition
from ..semstat.repetition.tables import REPETITION
from ..semstat.tables import provenance_of, read_table


def plot_repetition(repetition: Path, /, *, svg: Path, pdf: Path) -> None:
    """Draw how the energy of one model sinks on one dataset as a unit is repeated, by layer.

    Parameters
    ----------
    repetition : Parquet file of describe_repetition.
    svg : figure to make.
    pdf : the same figure.
    """
    table = read_table(repetition, REPETITION)
    provenance = provenance_of(table.schema)
    model, dataset, _ = Identity.of(provenance)
    unit = provenance["tokens"]["unit"]
    what = {"sentence": "a sentence", "1": "a token"}.get(unit, f"{unit} tokens")
    figure = draw_repetition(table.to_pylist(), f"{model}, {dataset}: {what} repeated")
    save(figure, [svg, pdf])


if __name__ == "__main__":
    run(plot_repetition)
