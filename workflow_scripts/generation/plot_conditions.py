"""The command that draws what long texts are like against their entropy."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..running.command import run
from ..semstat.figures import save
from ..semstat.generation.condition_figures import draw_conditions
from ..semstat.generation.tables import ALL, CONDITIONS
from .drawing import all_rows_of


def plot_conditions(
    conditions: list[Path],
    /,
    *,
    against: Literal["marginal", "conditional"] = "marginal",
    group: str = ALL,
    svg: Path,
    pdf: Path,
) -> None:
    """Draw repetition, loops and perplexity of texts against their mean entropy.

    Parameters
    ----------
    conditions : Parquet files of describe_runs, one a condition.
    against : entropy on the horizontal axis.
    group : of prompts, such as "held out".
    svg : figure to make.
    pdf : the same figure.
    """
    rows, title = all_rows_of(conditions, CONDITIONS, [group])
    save(draw_conditions(rows, against, title), [svg, pdf])


if __name__ == "__main__":
    run(plot_conditions)
