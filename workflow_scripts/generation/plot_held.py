"""The command that draws how well conditions hold a marginal entropy."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.generation.figures import draw_held
from ..semstat.generation.tables import ENTROPIES, FOUND_ON, HELD_OUT
from .drawing import rows_of


def plot_held(entropies: list[Path], /, *, target: float, svg: Path, pdf: Path) -> None:
    """Draw marginal entropies by position against the one that was to be held.

    Parameters
    ----------
    entropies : Parquet files of describe_runs, one a condition.
    target : marginal entropy that was to be held, nats.
    svg : figure to make.
    pdf : the same figure.
    """
    conditions, title = rows_of(entropies, ENTROPIES, [FOUND_ON, HELD_OUT])
    save(draw_held(conditions, target, title), [svg, pdf])


if __name__ == "__main__":
    run(plot_held)
