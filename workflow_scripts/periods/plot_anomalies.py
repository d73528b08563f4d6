"""The command that draws anomalies."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.figures import save
from ..semstat.periods.anomaly_figures import draw_anomalies
from ..semstat.periods.anomaly_tables import ANOMALIES
from ..semstat.tables import read_table


def plot_anomalies(anomalies: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw how well scores of one model tell replaced spans.

    Parameters
    ----------
    anomalies : Parquet files of describe_anomalies, of one model.
    svg : figure to make.
    pdf : the same figure.
    """
    rows = [row for path in anomalies for row in read_table(path, ANOMALIES).to_pylist()]
    save(draw_anomalies(rows, rows[0]["model"]), [svg, pdf])


if __name__ == "__main__":
    run(plot_anomalies)
