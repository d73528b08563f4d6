"""The command that draws volumes."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.errors import InputError
from ..semstat.figures import save
from ..semstat.provenance import Identity
from ..semstat.tables import floats, provenance_of, read_table
from ..semstat.thermodynamics.tables import CURVES as TEXT_CURVES
from ..semstat.volumes.figures import Panel, Volume, draw_volumes
from ..semstat.volumes.tables import CURVES, ENTROPIES


def plot_volumes(
    *, volumes: list[Path], entropies: list[Path], curves: list[Path], svg: Path, pdf: Path
) -> None:
    """Draw S(E) by volume under each measure, and beside it that of text, a panel a model.

    Parameters
    ----------
    volumes : Parquet files of averages over pairs of describe_volumes, of one dataset.
    entropies : those of each pair, in the same order.
    curves : Parquet files of curves of text, of the same models and layers.
    svg : figure to make.
    pdf : the same figure.
    """
    panels: dict[str, Panel] = {}
    whole: set[tuple[str, int | None]] = set()
    for path, of_pairs in zip(volumes, entropies, strict=True):
        table = read_table(path, CURVES)
        provenance = provenance_of(table.schema)
        model, dataset, layer = Identity.of(provenance)
        whole.add((dataset, layer))
        is_likeliest = provenance["sampling"]["against"] == "likeliest"
        measure = provenance["measure"] + (", any other token" if is_likeliest else "")
        columns = floats(table)
        each = floats(read_table(of_pairs, ENTROPIES))["entropy"]
        pairs = list(each.reshape(-1, len(columns["energy"])))
        panel = panels.setdefault(model, Panel(model, [], {}))
        panels[model] = panel._replace(
            volumes=[*panel.volumes, Volume(measure, is_likeliest, columns, pairs)]
        )
    if len(whole) != 1:
        raise InputError(
            f"{volumes[-1]}: of another dataset or layer than {volumes[0]}; draw a figure for each"
        )
    for path in curves:
        table = read_table(path, TEXT_CURVES)
        model, text, _ = Identity.of(provenance_of(table.schema))
        if model in panels:
            panel = panels[model]
            panels[model] = panel._replace(texts={**panel.texts, text: floats(table)})
    dataset, layer = whole.pop()
    save(draw_volumes(list(panels.values()), f"{dataset}, layer {layer}"), [svg, pdf])


if __name__ == "__main__":
    run(plot_volumes)
