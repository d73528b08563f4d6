"""The command that draws entropies by position."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..running.command import run
from ..semstat.figures import save
from ..semstat.generation.figures import draw_entropies
from ..semstat.generation.tables import ALL, ENTROPIES
from .drawing import rows_of


def plot_entropies(entropies: list[Path], /, *, group: str = ALL, svg: Path, pdf: Path) -> None:
    """Draw how entropies go with position, at several constant sampling temperatures.

    Parameters
    ----------
    entropies : Parquet files of describe_runs, one a condition.
    group : of prompts, such as "held out".
    svg : figure to make.
    pdf : the same figure.
    """
    conditions, title = rows_of(entropies, ENTROPIES, [group])
    by_temperature = {}
    for name, rows in conditions.items():
        temperature = np.array([row["sampling_temperature"] for row in rows])
        constant = np.ptp(temperature) < 1e-6
        by_temperature[temperature.mean(), f"{temperature[0]:g}" if constant else name] = rows
    named = {name: by_temperature[mean, name] for mean, name in sorted(by_temperature)}
    save(draw_entropies(named, title), [svg, pdf])


if __name__ == "__main__":
    run(plot_entropies)
