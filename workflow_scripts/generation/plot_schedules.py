"""The command that draws schedules of sampling temperatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..running.command import run
from ..semstat.figures import save
from ..semstat.generation.figures import draw_schedules
from ..semstat.generation.schedule_file import read_schedule
from ..semstat.provenance import Identity


def plot_schedules(schedules: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw sampling temperatures by position.

    Parameters
    ----------
    schedules : JSON files of schedules, of one model and dataset, each named after its condition.
    svg : figure to make.
    pdf : the same figure.
    """
    drawn = {}
    first = read_schedule(schedules[0])
    for path in schedules:
        found = read_schedule(path, first.provenance["model"])
        solved_t3 = np.array(found.solved, dtype=np.float64)
        drawn[path.stem] = (solved_t3, np.array(found.sampling_temperature))
    model, dataset, _ = Identity.of(first.provenance)
    save(draw_schedules(drawn, f"{model} on {dataset}"), [svg, pdf])


if __name__ == "__main__":
    run(plot_schedules)
