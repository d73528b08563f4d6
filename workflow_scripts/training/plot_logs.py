"""The command that draws training logs."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.tables import floats, provenance_of, read_table
from ..semstat.training.columns import FITTING
from ..semstat.training.log_figures import draw_logs
from .drawing import groups_of_logs


def plot_logs(logs: list[Path], /, *, groups: Path, svg: Path, pdf: Path) -> None:
    """Draw surprisal and energy in training against tokens, a line a group.

    Parameters
    ----------
    logs : Parquet files of training logs, of all models of the groups.
    groups : Parquet file of groups, of compare_models.
    svg : figure to make.
    pdf : the same figure.
    """
    found = {}
    for path in logs:
        table = read_table(path, FITTING)
        found[provenance_of(table.schema)["model"]["model"]] = floats(table)
    save(draw_logs(groups_of_logs(groups, found), found, "Training"), [svg, pdf])


if __name__ == "__main__":
    run(plot_logs)
