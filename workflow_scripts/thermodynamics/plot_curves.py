"""Draw one figure a quantity, comparing the curves of models, layers or datasets.

Labels come from the provenance of the files; the comparison says which part of it differs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..running import command
from ..semstat.figures import save
from ..semstat.thermodynamics.figures import QUANTITIES, Line, draw_curves
from .curve_files import read_curves


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("curves", nargs="+", type=Path, help="Parquet files of curves")
    parser.add_argument("--across", required=True, choices=["model", "layer", "dataset"])
    parser.add_argument("--quantities", required=True, nargs="+", choices=sorted(QUANTITIES))
    parser.add_argument("--svg", required=True, nargs="+", help="figures, one a quantity")
    parser.add_argument("--pdf", required=True, nargs="+", help="the same figures")
    arguments = parser.parse_args()

    read = [read_curves(path) for path in arguments.curves]
    lines = [Line(str(identity[arguments.across]), columns) for identity, columns in read]
    title = _title([identity for identity, _ in read], arguments.across)
    for quantity, *paths in zip(arguments.quantities, arguments.svg, arguments.pdf, strict=True):
        save(draw_curves(lines, quantity, title, ordered=arguments.across == "layer"), paths)


def _title(identities: list[dict[str, Any]], across: str) -> str:
    """What all lines of the figure share."""
    shared = [key for key in ("model", "dataset", "layer") if key != across]
    parts = []
    for key in shared:
        values = {identity[key] for identity in identities}
        if len(values) == 1:
            parts.append(f"layer {values.pop()}" if key == "layer" else str(values.pop()))
        elif key == "layer":
            parts.append("final layer")
    return ", ".join(parts)


if __name__ == "__main__":
    command.run(main)
