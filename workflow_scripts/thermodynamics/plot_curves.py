"""The command that draws curves."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Literal

from ..running.command import run
from ..semstat.figures import save
from ..semstat.provenance import Identity
from ..semstat.tables import floats, provenance_of, read_table
from ..semstat.thermodynamics.figures import QUANTITIES, Line, draw_curves, draw_layer_map
from ..semstat.thermodynamics.tables import CURVES

Curves = list[tuple[Identity, Line]]


def plot_curves(
    curves: list[Path],
    /,
    *,
    across: Literal["model", "layer", "dataset"],
    svg: list[Path],
    pdf: list[Path],
    map_svg: list[Path] | None = None,
    map_pdf: list[Path] | None = None,
) -> None:
    """Draw curves of models, layers or datasets side by side, one figure a quantity.

    What else the curves are of decides which of them share a figure; labels come from their
    provenance.

    Parameters
    ----------
    curves : Parquet files of curves.
    across : what the lines of one figure differ in.
    svg : figures to make; each is named after its quantity, and they are in the order of the
        curves.
    pdf : the same figures.
    map_svg : maps of layer × energy to make, one for each figure's curves.
    map_pdf : the same maps.
    """
    figures: dict[tuple[object, ...], Curves] = defaultdict(list)
    for path in curves:
        table = read_table(path, CURVES)
        identity = Identity.of(provenance_of(table.schema))
        line = Line(str(getattr(identity, across)), floats(table))
        figures[_shared(identity, across)].append((identity, line))
    quantities = list(dict.fromkeys(path.stem for path in svg))
    places = iter(zip(svg, pdf, strict=True))
    for shared in figures.values():
        lines, title = [line for _, line in shared], _title([who for who, _ in shared], across)
        for quantity in quantities:
            paths = next(places)
            if {path.stem for path in paths} != {quantity} or quantity not in QUANTITIES:
                raise ValueError(f"{paths[0]}: is no place for a figure of {quantity}")
            save(draw_curves(lines, quantity, title, ordered=across == "layer"), paths)
    maps = zip(figures.values(), map_svg or [], map_pdf or [], strict=True) if map_svg else ()
    for shared, *map_paths in maps:
        layers = [int(who.layer or 0) for who, _ in shared]
        title = _title([who for who, _ in shared], across)
        save(draw_layer_map(layers, [line.columns for _, line in shared], title), map_paths)


def _shared(identity: Identity, across: str) -> tuple[object, ...]:
    """What curves have in common that share a figure: the final layers of models differ."""
    ignored = {across, "layer"}
    return tuple(value for key, value in identity._asdict().items() if key not in ignored)


def _title(identities: list[Identity], across: str) -> str:
    """What all lines of the figure share."""
    parts = []
    for key in Identity._fields:
        values = {getattr(identity, key) for identity in identities}
        if key != across and len(values) == 1:
            parts.append(f"layer {values.pop()}" if key == "layer" else str(values.pop()))
        elif key != across and key == "layer":
            parts.append("final layer")
    return ", ".join(parts)


if __name__ == "__main__":
    run(plot_curves)
