"""Figures as a notebook gets them: legible, complete, and shown."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib_inline.backend_inline import configure_inline_support

from tests.tiny import tiny_model, tiny_tokenizer
from workflow_scripts.semstat.energies.figures import draw_tokens
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.notebook import (
    MOST_STATES,
    curves_by_layer,
    measure_energies,
    plot_curves,
    plot_layer_map,
    plot_tokens,
)
from workflow_scripts.semstat.thermodynamics.figures import QUANTITIES

TEXTS = ["we the people", "of the union read the union", "$ok$ and\n\tmore, more and more"]


@pytest.fixture(scope="module")
def energies():
    return measure_energies(tiny_model(), tiny_tokenizer(), TEXTS)


@pytest.fixture(scope="module")
def curves(energies):
    return curves_by_layer(energies, resamples=50)


def solid(axes):
    """Lines of curves where these are known."""
    long = [line for line in axes.get_lines() if len(line.get_xdata()) > 2]
    return [line for line in long if line.get_linestyle() != ":"]


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_curves_of_layers_and_of_anything_else(quantity, curves):
    figure = plot_curves(curves, quantity, title="tiny")
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "layer"
    assert [text.get_text() for text in legend.get_texts()] == ["0", "1", "2", "3"]
    assert figure.get_suptitle() == "tiny"
    figure = plot_curves({"model a": curves[0], "model b": curves[3]}, quantity)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["model a", "model b"]
    well, _ = figure.axes
    drawn = solid(well)[1].get_ydata()
    known = ~curves[3].extrapolated & (curves[3].energy != 0)
    np.testing.assert_array_equal(drawn[known], getattr(curves[3], quantity).value[known])


def test_the_layer_map_is_ordered_by_layer(curves):
    figure = plot_layer_map(dict(reversed(curves.items())), "tiny")
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["0", "1", "2", "3"]


def test_no_such_quantity_names_those_that_are(curves):
    with pytest.raises(InputError, match="no 'heat'; choose one of entropy, temperature, density"):
        plot_curves(curves, "heat")


def cells(figure):
    """Cells of all rows side by side, and the labels of each row."""
    panels = figure.axes[:-1]
    energy_ls = np.concatenate([axes.collections[0].get_array() for axes in panels], axis=1)
    return energy_ls, [[text.get_text() for text in axes.get_xticklabels()] for axes in panels]


def test_a_state_is_a_cell_between_its_two_tokens(energies):
    figure = plot_tokens(energies, "tiny", doc=2)
    energy_ls, (labels,) = cells(figure)
    whole = energies.filter(pc.equal(energies["doc"], 2))
    np.testing.assert_array_equal(energy_ls.ravel(), whole["energy"].to_numpy())
    assert labels[-5:] == list(" more"[1:]) or labels[-4:] == list("more")
    assert "↵" in labels and "⇥" in labels and "␣" in labels and labels.count("$") == 2
    assert figure.axes[0].get_title(loc="left") == "tiny"
    part = plot_tokens(energies, doc=2, positions=range(3, 8))
    energy_ls, (labels,) = cells(part)
    assert energy_ls.shape == (4, 5) and labels == ["k", "$", "␣", "a", "n", "d"]


@pytest.mark.parametrize(("states", "layers"), [(1, 1), (1, 31), (32, 4), (33, 2), (100, 81)])
def test_labels_stand_apart_and_inside(states, layers):
    rng = np.random.default_rng(0)
    words = [" the", "constitutionalism", "$", "$$", "\n", " ", "_", " interstellarly_so", "\\"]
    tokens = list(rng.choice(words, size=states + 1))
    energy_ls = rng.uniform(-1, 1, (layers, states))
    figure = draw_tokens(tokens, range(layers), energy_ls, "some text")
    FigureCanvasAgg(figure).draw()
    drawn, labels = cells(figure)
    np.testing.assert_array_equal(drawn, energy_ls)
    assert [row[-1] for row in labels[:-1]] == [row[0] for row in labels[1:]]
    assert len(labels[0][:-1]) <= 32 and sum(len(row) - 1 for row in labels) == states
    boxes = []
    for axes in figure.axes:
        boxes.append(axes.get_tightbbox())
        for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
            found = [tick.get_window_extent() for tick in ticks if tick.get_text()]
            assert not any(a.overlaps(b) for a, b in itertools.combinations(found, 2))
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    inside = figure.bbox.padded(0.01)
    for box in boxes:
        assert inside.x0 <= box.x0 and box.x1 <= inside.x1
        assert inside.y0 <= box.y0 and box.y1 <= inside.y1
    high = {round(axes.bbox.height) for axes in figure.axes[:-1]}
    wide = {round(axes.bbox.width / np.diff(axes.get_xlim())[0]) for axes in figure.axes[:-1]}
    assert max(high) - min(high) <= 1 and max(wide) - min(wide) <= 1


def test_a_figure_that_would_mislead_is_refused(energies):
    with pytest.raises(InputError, match="no states of document 7"):
        plot_tokens(energies, doc=7)
    holes = energies.filter(pc.not_equal(energies["position"], 5))
    with pytest.raises(InputError, match="states of document 1 are missing"):
        plot_tokens(holes, doc=1)
    times = MOST_STATES + 1
    long = pa.concat_tables([energies.slice(1, 1)] * times)
    position = energies.column_names.index("position")
    long = long.set_column(position, "position", pa.array(range(1, times + 1), pa.int32()))
    with pytest.raises(InputError, match=rf"has {times} states.*positions=range\(1, {times}\)"):
        plot_tokens(long)
    assert cells(plot_tokens(long, positions=range(1, times)))[0].shape == (1, MOST_STATES)


@pytest.fixture
def notebook():
    """The part of a notebook that decides how a value is shown."""
    shell = InteractiveShell()
    yield shell
    shell.clear_instance()


def shown(shell, figure):
    data, metadata = shell.display_formatter.format(figure)
    images = {kind: content for kind, content in data.items() if kind.startswith("image/")}
    ((kind, image),) = images.items()
    return kind, image, metadata.get(kind, {})


def test_a_notebook_shows_a_figure_without_pyplot(notebook, energies):
    figure = plot_tokens(energies, doc=1)
    kind, image, size = shown(notebook, figure)
    assert kind == "image/png" and image.startswith(b"\x89PNG")
    width = int.from_bytes(image[16:20], "big")
    assert width == pytest.approx(2 * size["width"], abs=2)  # sharp on fine screens


def test_a_notebook_with_pyplot_shows_it_once(notebook, energies, curves):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        configure_inline_support(notebook, "module://matplotlib_inline.backend_inline")
    for figure in (plot_tokens(energies), plot_curves(curves)):
        kind, image, _ = shown(notebook, figure)
        assert kind == "image/png" and len(image) > 1000
