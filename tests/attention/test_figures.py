"""Figures show the numbers of their tables."""

import numpy as np
import pytest

from tests.attention.made import states
from workflow_scripts.semstat.attention.description import describe_associations, describe_groups
from workflow_scripts.semstat.attention.figures import (
    LABELS,
    draw_associations,
    draw_entropies,
    draw_groups,
    draw_map,
    measures_in,
)
from workflow_scripts.semstat.attention.tables import (
    ASSOCIATIONS,
    GROUPS,
    OUTCOMES,
    STUDIED,
    VOLUMES,
)
from workflow_scripts.semstat.tables import table_of_rows

LAYERS = (0, 4)


@pytest.fixture(scope="module")
def described():
    """Rows of the three tables, of two layers of a model."""
    tables = {GROUPS: [], VOLUMES: [], ASSOCIATIONS: []}
    for layer in LAYERS:
        columns = states(documents=8, seed=layer)
        head = {"model": "m", "dataset": "d", "layer": layer}
        rng = np.random.default_rng(0)
        found = *describe_groups(columns, 3, 0.95), describe_associations(columns, 20, rng, 0.95)
        for schema, rows in zip(tables, found, strict=True):
            tables[schema] += [head | row for row in rows]
    return [table_of_rows(rows, schema).to_pylist() for schema, rows in tables.items()]


def panels(figure, label):
    return [axes for axes in figure.axes if axes.get_title(loc="left").replace("\n", " ") == label]


def test_every_measure_has_a_label():
    assert list(LABELS) == list(STUDIED)


def test_groups_are_drawn_layer_by_layer(described):
    groups, *_ = described
    figure = draw_groups(groups, "m on d")
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "layer"
    assert [text.get_text() for text in legend.get_texts()] == ["0", "4"]
    (axes,) = panels(figure, LABELS["sink"])
    for line, layer in zip(axes.lines, LAYERS, strict=True):
        rows = [r for r in groups if (r["layer"], r["measure"]) == (layer, "sink")]
        np.testing.assert_allclose(line.get_ydata(), [row["below_zero"] for row in rows])


def test_entropies_are_those_of_the_last_layer(described):
    _, volumes, _ = described
    (axes,) = panels(draw_entropies(volumes, "m on d"), LABELS["before"])
    for group, line in enumerate(axes.lines, start=1):
        rows = [
            r["volume"] if r["energy"] else 0.0  # nearer to 0 than the grid nothing is drawn
            for r in volumes
            if (r["layer"], r["measure"], r["group"]) == (4, "before", group)
        ]
        with np.errstate(divide="ignore"):
            expected = np.log(rows)
        np.testing.assert_allclose(line.get_ydata(), np.where(np.isinf(expected), np.nan, expected))


def test_associations_are_drawn_with_their_null_and_the_twin(described):
    *_, rows = described
    twin = [row | {"model": "m-random", "partial": 0.05} for row in rows]
    figure = draw_associations(rows, twin, "m on d")
    (axes,) = panels(figure, LABELS["sink"])
    drawn = [line.get_ydata() for line in axes.lines[1:]]
    for values, outcome in zip(drawn, OUTCOMES, strict=False):
        chosen = [r["partial"] for r in rows if (r["measure"], r["outcome"]) == ("sink", outcome)]
        np.testing.assert_allclose(values, chosen)
    np.testing.assert_allclose(drawn[-1], 0.05)
    edges = set(axes.collections[0].get_paths()[0].vertices[:, 1].round(12))
    for row in rows:
        if _is(row, 0, "sink") or _is(row, 4, "sink"):
            assert {round(row["shifted_low"], 12), round(row["shifted_high"], 12)} <= edges


def _is(row, layer, measure):
    return (row["layer"], row["measure"], row["outcome"]) == (layer, measure, OUTCOMES[0])


def test_the_map_crosses_what_is_within_the_band(described):
    *_, rows = described
    without = [row for row in rows if (row["layer"], row["measure"]) != (0, "before")]
    axes = draw_map(without, [], "m on d").axes[0]
    image = axes.images[0].get_array()
    crosses = {(int(line.get_xdata()[0]), int(line.get_ydata()[0])) for line in axes.lines}
    for m, measure in enumerate(measures_in(rows)):
        for place, layer in enumerate(LAYERS):
            found = [row for row in without if _is(row, layer, measure)]
            if not found:
                assert np.ma.getmaskarray(np.ma.masked_invalid(image))[m, place]
                continue
            assert image[m, place] == pytest.approx(found[0]["partial"])
            low, high = found[0]["shifted_low"], found[0]["shifted_high"]
            inside = low is not None and low <= found[0]["partial"] <= high
            assert ((place, m) in crosses) == inside
    assert (LAYERS.index(4), measures_in(rows).index("sink")) not in crosses
