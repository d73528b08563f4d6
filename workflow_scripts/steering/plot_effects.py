"""The command that draws what steering achieves."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.steering.figures import draw_effects
from ..semstat.steering.tables import EFFECTS
from ..semstat.tables import read_table


def plot_effects(effects: Path, /, *, svg: Path, pdf: Path) -> None:
    """Draw the norm that effects of steering take.

    Parameters
    ----------
    effects : Parquet file of describe_effects.
    svg : figure to make.
    pdf : the same figure.
    """
    rows = read_table(effects, EFFECTS).to_pylist()
    save(draw_effects(rows, f"{rows[0]['model']} on {rows[0]['dataset']}"), [svg, pdf])


if __name__ == "__main__":
    run(plot_effects)
