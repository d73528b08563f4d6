"""The command that draws a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running.command import run
from ..semstat.comparisons.figures import draw_difference
from ..semstat.comparisons.tables import COMPARISON, DISTANCES
from ..semstat.figures import save
from ..semstat.tables import floats, read_table


def plot_comparison(comparison: Path, /, *, distances: Path, svg: Path, pdf: Path) -> None:
    """Draw how the curves of two ensembles differ, and how far apart they are.

    Parameters
    ----------
    comparison : Parquet file of differences.
    distances : Parquet file of their distances.
    svg : figure to make.
    pdf : the same figure.
    """
    columns = floats(read_table(comparison, COMPARISON))
    (row,) = read_table(distances, DISTANCES).to_pylist()
    save(draw_difference(columns, _title(row)), [svg, pdf])


def _title(row: dict[str, Any]) -> str:
    a, b = (f"{row[f'model_{s}']}, {row[f'dataset_{s}']}, layer {row[f'layer_{s}']}" for s in "ab")
    numbers = [
        f"{name} {row[key]:.3g} (p = {row[f'{key}_p']:.2g})"
        for name, key in (("area", "area"), ("KS", "kolmogorov_smirnov"))
    ]
    return f"a: {a}\nb: {b}\n{', '.join(numbers)}"


if __name__ == "__main__":
    run(plot_comparison)
