"""Figures of synthetic curves: complete, legible and the same bytes every time."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tests.layout import crowded
from workflow_scripts.semstat.figures import MOST_TOLD_APART, axis_coordinate, save, styles_of
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges
from workflow_scripts.semstat.thermodynamics.figures import (
    QUANTITIES,
    WELL_PANELS,
    Line,
    draw_curves,
    draw_layer_map,
    draw_wells,
)

EDGES = energy_edges()


def curve(shift=0.0, missing=False):
    """Curves of a repetition well of a given depth; NaN where a real one could be undefined."""
    volume = np.clip((EDGES + 1 + shift) / (2 + shift), 0, 1)
    volume[EDGES < -0.9] = 0
    with np.errstate(divide="ignore"):
        columns = {"volume": volume, "entropy": np.where(volume > 0, np.log(volume), np.nan)}
    columns["density"] = np.full_like(EDGES, 0.5)
    columns["temperature"] = np.where(volume > 0, volume / 0.5, np.nan)
    if missing:
        columns = {name: np.full_like(EDGES, np.nan) for name in columns} | {"volume": volume}
    for name in list(columns):
        columns[f"{name}_low"] = columns[name] - 0.1
        columns[f"{name}_high"] = np.where(EDGES > 0.9, np.nan, columns[name] + 0.1)
        columns[f"{name}_band_low"] = columns[name] - 0.2
        columns[f"{name}_band_high"] = np.where(EDGES < -0.8, np.nan, columns[name] + 0.2)
    return columns | {"energy": EDGES, "extrapolated": EDGES < -0.8}


def lines(count, **options):
    return [Line(f"model-{i}", curve(i / 5, **options)) for i in range(count)]


@pytest.mark.parametrize(("count", "ordered"), [(1, False), (8, True), (9, True), (40, False)])
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_legend_and_axes_stand_apart_and_name_every_line(quantity, count, ordered):
    figure = draw_curves(lines(count), quantity, "smollm2, sotu", ordered)
    assert not crowded(figure)
    well, whole, *bar = figure.axes
    if ordered and count > MOST_TOLD_APART:
        assert [each.get_ylabel() for each in bar] == ["layer"] and not figure.legends
    else:
        (legend,) = figure.legends
        named = [text.get_text() for text in legend.get_texts()]
        assert named == [f"model-{i}" for i in range(count)] and not bar
        assert (legend.get_title().get_text() == "layer") == ordered
    assert figure.get_suptitle() == "smollm2, sotu"
    assert well.get_ylabel() == QUANTITIES[quantity].label
    assert "[probability]" in whole.get_xlabel() and "linear" in well.get_xlabel()
    assert (well.get_xscale(), whole.get_xscale()) == ("linear", "symlog")
    assert well.get_yscale() == whole.get_yscale() == QUANTITIES[quantity].scale
    assert well.get_xlim() == (-1, 0) and well.get_ylim() == whole.get_ylim()
    marks = [line.get_xdata()[0] for line in well.get_lines() if len(line.get_xdata()) == 2]
    assert marks == [-0.5, 0] == well.get_xticks()[1:].tolist()


def test_tick_labels_of_the_energy_do_not_run_into_each_other():
    figure = draw_curves(lines(2), "entropy", "", ordered=False)
    FigureCanvasAgg(figure).draw()
    boxes = [label.get_window_extent() for label in figure.axes[1].get_xticklabels()]
    boxes.sort(key=lambda box: box.x0)
    assert len(boxes) == 9
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


def test_a_model_keeps_its_colour_and_dash_when_another_comes_after_it():
    names = ["smollm2-135m", *(f"model-{i}" for i in range(30))]
    whole = styles_of(names)
    for number in range(1, len(names)):
        assert styles_of(names[:number]) == dict(list(whole.items())[:number])
    assert len(set(map(repr, whole.values()))) == len(names), "each has its own"
    assert len({color for color, _ in styles_of(names[:7]).values()}) == 7
    without = styles_of(["model-0", *names[2:5]])["model-0"]
    assert without == whole["model-0"] or whole["smollm2-135m"] == without


def curves_in(axes):
    return [line for line in axes.get_lines() if len(line.get_xdata()) == len(EDGES)]


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_lines_are_the_curves_and_differ_from_each_other(quantity):
    given = lines(MOST_TOLD_APART)
    figure = draw_curves(given, quantity, "", ordered=False)
    for axes in figure.axes:
        known, beyond = curves_in(axes)[::2], curves_in(axes)[1::2]
        for line, dotted, (_, columns) in zip(known, beyond, given, strict=True):
            drawn_e = np.where(columns["extrapolated"], dotted.get_ydata(), line.get_ydata())
            hidden = EDGES == 0
            if quantity == "entropy":
                hidden = hidden | (columns["volume"] == 0)
            np.testing.assert_array_equal(drawn_e, np.where(hidden, np.nan, columns[quantity]))
            assert np.isnan(line.get_ydata()[columns["extrapolated"]]).all()
            assert dotted.get_linestyle() == ":" and dotted.get_color() == line.get_color()
            assert np.nanmax(drawn_e) <= axes.get_ylim()[1]
            assert np.nanmin(drawn_e) >= axes.get_ylim()[0]
        assert len({(line.get_color(), line.get_linestyle()) for line in known}) == len(given)
        for band, interval, (_, columns) in zip(
            axes.collections[::2], axes.collections[1::2], given, strict=True
        ):
            for shade, name in [(band, f"{quantity}_band_high"), (interval, f"{quantity}_high")]:
                highest = max(path.vertices[:, 1].max() for path in shade.get_paths())
                assert highest == pytest.approx(np.nanmax(columns[name]))


def test_a_peak_at_0_that_no_state_tells_is_not_drawn():
    peaked = curve()
    peaked["density"][EDGES == 0] = 1e9
    figure = draw_curves([Line("peaked", peaked)], "density", "", ordered=False)
    for axes in figure.axes:
        assert all(np.nanmax(line.get_ydata()) < 1 for line in curves_in(axes)[:1])
        assert axes.get_ylim()[1] < 10
    (middle,) = [patch for patch in figure.axes[1].patches if patch.get_width() < 1e-5]
    assert middle.get_x() == -1e-6 and middle.get_width() == 2e-6


def test_s_ends_at_the_lowest_state_and_has_a_point_at_0():
    columns = curve()
    columns["entropy"][columns["volume"] == 0] = -50.0  # as the spline has it
    figure = draw_curves([Line("m", columns)], "entropy", "", ordered=False)
    assert figure.axes[0].get_ylim()[0] > -10
    (point,) = [line for line in figure.axes[1].get_lines() if line.get_marker() == "."]
    assert point.get_ydata().tolist() == columns["entropy"][EDGES == 0].tolist()


def test_bands_of_more_lines_than_can_be_told_apart_are_left_out():
    figure = draw_curves(lines(MOST_TOLD_APART + 1), "entropy", "", ordered=True)
    assert not any(axes.collections for axes in figure.axes[:2])


@pytest.mark.parametrize("quantity", ["entropy", "density"])
def test_a_curve_that_is_nowhere_defined_is_drawn_empty(quantity, tmp_path):
    figure = draw_curves(lines(2, missing=True), quantity, "", ordered=True)
    save(figure, [str(tmp_path / "empty.svg")])
    assert "model-1" in (tmp_path / "empty.svg").read_text()


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_a_figure_is_the_same_bytes_every_time(kind, tmp_path):
    paths = [tmp_path / f"{i}.{kind}" for i in range(2)]
    for path in paths:
        save(draw_curves(lines(2), "entropy", "", ordered=True), [str(path)])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert len(paths[0].read_bytes()) > 5000


@pytest.mark.parametrize("layers", [[0], list(range(41))])
def test_the_layer_map_has_a_row_a_layer_of_the_same_height(layers):
    curves = [curve(layer / 40) for layer in layers]
    figure = draw_layer_map(layers, curves, "smollm2, sotu")
    FigureCanvasAgg(figure).draw()
    axes, bar = figure.axes
    (mesh,) = axes.collections
    density_lj = np.ma.filled(mesh.get_array(), 0)
    assert density_lj.shape[0] == len(layers)
    width = np.diff(axis_coordinate(mesh.get_coordinates()[0, :, 0]))
    np.testing.assert_allclose(density_lj @ width, 1, atol=1e-9)
    middle = np.argmax(mesh.get_coordinates()[0, :, 0] > 0) - 1
    np.testing.assert_allclose(mesh.get_coordinates()[0, middle : middle + 2, 0], [-1e-6, 1e-6])
    labels = [int(label.get_text()) for label in axes.get_yticklabels()]
    assert set(labels) <= set(layers) and 1 <= len(labels) <= 21
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))
    assert labels[0] == layers[0] and labels[-1] == layers[-1]
    assert bar.get_ylabel() == "share of states\nper decade of |E|"
    assert not bar.get_tightbbox().overlaps(axes.get_tightbbox())


def test_a_figure_is_saved_in_every_format_at_once(tmp_path):
    figure = draw_layer_map([0, 8], [curve(), curve(0.2)], "smollm2, sotu")
    save(figure, [str(tmp_path / "map.svg"), str(tmp_path / "map.pdf")])
    assert (tmp_path / "map.svg").read_text().startswith("<?xml")
    assert (tmp_path / "map.pdf").read_bytes().startswith(b"%PDF")
    assert len(list(tmp_path.iterdir())) == 2


def well_columns(layers, shift=0.0, missing=False, blocks=None):
    """A wells table; the last layer's share was never seen, and `missing` are the nulls."""
    at = np.arange(layers) / max(1, layers - 1)
    blocks = blocks or max(1, layers - 1)
    columns = {"layer": blocks * at, "blocks": np.full(layers, blocks)}
    columns["deepest"] = np.where(at == 0, 0.7, 0.3 / layers)
    for name in WELL_PANELS:
        value = at - 0.9 + shift if name in ("mean_energy", "depth") else (1 - at) / 2
        low, high = value - 0.1 * (value != 0), value + 0.1
        columns |= {name: value, f"{name}_low": low, f"{name}_high": high}
    columns["depth_low"] = columns["depth"] + 0.01  # bounds need not enclose the value
    if missing:
        nothing = np.full(layers, np.nan)
        columns |= {"depth": nothing, "depth_low": nothing, "depth_high": nothing}
        columns |= {"deepest": nothing}
    return columns


@pytest.mark.parametrize(("count", "layers"), [(1, 1), (3, 4), (9, 31), (40, 4)])
def test_wells_are_drawn_layer_by_layer(count, layers):
    given = [Line(f"model-{i}", well_columns(layers, i / 50)) for i in range(count)]
    figure = draw_wells(given, "sotu")
    FigureCanvasAgg(figure).draw()
    assert len(figure.axes) == len(WELL_PANELS)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [line.label for line in given]
    for axes, (name, number) in zip(figure.axes, WELL_PANELS.items(), strict=True):
        assert axes.get_title(loc="left") == number.label and axes.get_yscale() == number.scale
        drawn = [line for line in axes.get_lines() if line.get_markersize() == 3]
        for line, (_, columns) in zip(drawn, given, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), columns["layer"])
            unseen = (columns[name] == 0) & (number.scale == "log")
            expected = np.where(unseen, np.nan, columns[name])
            np.testing.assert_array_equal(line.get_ydata(), expected)
        triangles = [line for line in axes.get_lines() if line.get_marker() == "v"]
        assert len(triangles) == (count if number.scale == "log" and layers > 1 else 0)
        for mark in triangles:
            assert mark.get_ydata().tolist() == [0.1]
    marks = [line for line in figure.axes[3].get_lines() if line.get_marker() == "o"]
    deepest = next(line for line in marks if line.get_markersize() == 4)
    assert deepest.get_xdata().tolist() == [0]
    boxes = [axes.get_tightbbox() for axes in figure.axes] + [legend.get_window_extent()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_layers_are_numbers_where_all_models_have_as_many_blocks():
    alike = [Line(f"model-{i}", well_columns(4, blocks=30)) for i in range(2)]
    panel = draw_wells(alike, "sotu").axes[3]
    assert panel.get_xlabel() == "layer"
    assert [text.get_text() for text in panel.get_xticklabels()] == ["0", "10", "20", "30"]
    panel = draw_wells([*alike, Line("shallow", well_columns(4, blocks=3))], "sotu").axes[3]
    assert panel.get_xlabel() == "layer / blocks"
    ends = {line.get_xdata().max() for line in panel.get_lines() if len(line.get_xdata()) == 4}
    assert ends == {1.0}


def test_wells_without_a_depth_are_drawn(tmp_path):
    figure = draw_wells([Line("tiny", well_columns(3, missing=True))], "text")
    save(figure, [str(tmp_path / "wells.svg")])
    assert "tiny" in (tmp_path / "wells.svg").read_text()


def test_a_users_matplotlibrc_changes_nothing(tmp_path):
    def drawn(name):
        line = Line("SmolLM2", curve())
        save(draw_curves([line], "entropy", "SOTU", ordered=False), [tmp_path / name])
        return (tmp_path / name).read_bytes()

    theirs = {"text.usetex": True, "font.size": 30, "axes.facecolor": "black", "axes.grid": True}
    plain = drawn("plain.svg")
    with matplotlib.rc_context(theirs):
        assert drawn("theirs.svg") == plain
