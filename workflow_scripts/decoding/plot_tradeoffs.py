"""The command that draws what methods of decoding trade."""

from __future__ import annotations

from pathlib import Path

from ..generation.drawing import all_rows_of
from ..running.command import run
from ..semstat.decoding.figures import draw_tradeoffs
from ..semstat.decoding.tables import DECODINGS
from ..semstat.figures import save


def plot_tradeoffs(decodings: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw repetition against perplexity, a curve a condition.

    Parameters
    ----------
    decodings : Parquet files of describe_decodings, one a condition.
    svg : figure to make.
    pdf : the same figure.
    """
    save(draw_tradeoffs(*all_rows_of(decodings, DECODINGS)), [svg, pdf])


if __name__ == "__main__":
    run(plot_tradeoffs)
