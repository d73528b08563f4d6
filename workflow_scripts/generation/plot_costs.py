"""The command that draws how well conditions hold a marginal entropy against what they cost."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.errors import InputError
from ..semstat.figures import save
from ..semstat.generation.condition_figures import draw_costs
from ..semstat.generation.tables import CONDITIONS, FOUND_ON, HELD_OUT
from .drawing import all_rows_of


def plot_costs(conditions: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw the error of holding a marginal entropy against the tokens spent on the schedule.

    Parameters
    ----------
    conditions : Parquet files of describe_runs, one a condition, all of one target.
    svg : figure to make.
    pdf : the same figure.
    """
    rows, title = all_rows_of(conditions, CONDITIONS, [FOUND_ON, HELD_OUT])
    for row in rows:
        if row["target"] is None:
            raise InputError(
                f"{row['condition']}: no target that it was to hold; describe_runs takes one as "
                f"--target"
            )
        for key in ("target", "fit_to"):
            if row[key] != rows[0][key]:
                raise InputError(
                    f"{row['condition']}: {key} {row[key]}, but {rows[0][key]} of "
                    f"{rows[0]['condition']}; draw a figure for each"
                )
    save(draw_costs(rows, f"{title}, target {rows[0]['target']:g} nats"), [svg, pdf])


if __name__ == "__main__":
    run(plot_costs)
