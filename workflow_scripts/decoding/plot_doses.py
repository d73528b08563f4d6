"""The command that draws how repetition goes with entropy."""

from __future__ import annotations

from pathlib import Path

from ..generation.drawing import all_rows_of
from ..running.command import run
from ..semstat.decoding.dose_figures import draw_doses
from ..semstat.decoding.tables import DECODINGS
from ..semstat.figures import save


def plot_doses(decodings: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw repetition against conditional entropy.

    Parameters
    ----------
    decodings : Parquet files of describe_decodings, one a condition.
    svg : figure to make.
    pdf : the same figure.
    """
    save(draw_doses(*all_rows_of(decodings, DECODINGS)), [svg, pdf])


if __name__ == "__main__":
    run(plot_doses)
