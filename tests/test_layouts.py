"""Every figure fits: of 31 layers, of 21 models, and of names of a hundred letters."""

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection

from tests.layout import LONG, crowded
from tests.thermodynamics.test_figures import EDGES, curve, well_columns
from workflow_scripts.semstat.attention.figures import draw_groups, draw_map
from workflow_scripts.semstat.attention.place_figures import LABELS, LINES, draw_places
from workflow_scripts.semstat.attention.tables import STUDIED
from workflow_scripts.semstat.causes.figures import draw_doses, draw_remains
from workflow_scripts.semstat.comparisons.figures import DIFFERENCE_PANELS, draw_difference
from workflow_scripts.semstat.figures import LINEAR_BELOW, MOST_TOLD_APART
from workflow_scripts.semstat.generation.figures import draw_schedules
from workflow_scripts.semstat.mechanics.figures import (
    DRAWN,
    PLACE_NAMES,
    Trajectory,
    draw_conservation,
    draw_trajectories,
)
from workflow_scripts.semstat.periods.figures import draw_periods
from workflow_scripts.semstat.periods.onset_figures import draw_found, draw_onsets
from workflow_scripts.semstat.periods.onset_tables import OBSERVABLES
from workflow_scripts.semstat.repetition.figures import draw_repetition
from workflow_scripts.semstat.steering.figures import QUANTITY_LABELS, draw_effects
from workflow_scripts.semstat.tables import interval_columns
from workflow_scripts.semstat.thermodynamics.figures import (
    QUANTITIES,
    Line,
    draw_curves,
    draw_layer_map,
    draw_wells,
)
from workflow_scripts.semstat.training.log_figures import PANELS, draw_logs
from workflow_scripts.semstat.volumes.figures import Panel, Volume, draw_volumes

LAYERS = range(31)
MODELS = [f"{i:02d}{LONG}"[:100] for i in range(21)]
TITLE = f"{LONG} on {LONG}"


def number(*names, value=0.4):
    """Columns of numbers with their intervals."""
    return interval_columns(dict.fromkeys(names, (value, value - 0.1, value + 0.1)))


def curves(layers_or_models, quantity, ordered):
    lines = [Line(str(name), curve(i / 20)) for i, name in enumerate(layers_or_models)]
    return draw_curves(lines, quantity, TITLE, ordered)


def wells(models, layers, blocks=30):
    return draw_wells([Line(name, well_columns(layers, blocks=blocks)) for name in models], TITLE)


def difference():
    columns = {"energy": EDGES}
    for name in DIFFERENCE_PANELS:
        for part in ("", "_low", "_high", "_band_low", "_band_high"):
            columns[name + part] = EDGES
    return draw_difference(columns, f"a: {TITLE}\nb: {TITLE}\narea 1")


def volumes(models=MODELS[:3]):
    """Of each model one space that is known by volume, and two texts."""
    entropy_e = np.linspace(-60, 0, len(EDGES))
    hot_e = np.geomspace(0.1, 10, len(EDGES))
    numbers = {"entropy": (entropy_e, entropy_e - 1, entropy_e + 1)}
    numbers["temperature"] = (hot_e, hot_e / 2, hot_e * 2)
    space = {"energy": EDGES} | interval_columns(numbers)
    volumes = [
        Volume(f"{measure}, the last token held against {other}", likeliest, space, [entropy_e - 2])
        for measure in ("directions, uniform", "states, normal as the model's own")
        for other, likeliest in (("the correct one", False), ("the likeliest other one", True))
    ]
    texts = {name: curve() for name in (LONG, "sotu-shuffled")}
    return draw_volumes([Panel(model, volumes, texts) for model in models], TITLE)


def trajectories():
    position_t = np.arange(20.0)
    return draw_trajectories(
        [Trajectory(name, position_t, position_t / 5, position_t % 3) for name in MODELS[:3]], TITLE
    )


def schedules():
    solved_t3 = np.ones((30, 3))
    return draw_schedules(dict.fromkeys(MODELS, (solved_t3, np.linspace(0.5, 1, 30))), TITLE)


def logs():
    groups = [
        {"group": f"group-{i}", "family": f"family-{i % 2}", "models": f"m{i}"}
        | {"objective": "cross_entropy", "control": i > 17}
        for i in range(21)
    ]
    log = {"tokens": np.arange(5.0)} | dict.fromkeys(PANELS, np.arange(5.0))
    return draw_logs(groups, {f"m{i}": log for i in range(21)}, TITLE)


def conservation(models=MODELS):
    kinetic, potentials = DRAWN
    names = ("variance_ratio", "cv", "shuffled", "shifted")
    nulls = dict.fromkeys(["ratio_order", "ratio_embedding", "cv_order", "cv_embedding"], 1.1)
    nulls |= {"cv_shuffled": 1.0}
    rows = [
        {"form": "energy", "kinetic": kinetic, "potential": potential, "place": place}
        | {"layer": layer, "blocks": 30}
        | (number(*names) | nulls)
        for layer in LAYERS
        for potential in potentials
        for place in PLACE_NAMES
    ]
    return draw_conservation(dict.fromkeys(models, rows), "variance_ratio", TITLE)


def periods():
    return draw_periods(
        [
            {"layer": layer, "period": period} | number("beyond", "share", "null")
            for layer in LAYERS
            for period in (None, 1, 2, 3)
        ],
        TITLE,
    )


def onsets():
    return draw_onsets(
        [
            {"layer": layer, "observable": name, "lag": lag, "documents": 3}
            | number("beyond", "null_beyond")
            for layer in LAYERS
            for name in OBSERVABLES
            for lag in (-2, 0, 2)
        ],
        TITLE,
    )


def found():
    return draw_found(
        [
            {"layer": layer, "copies": copies} | number("found", "null")
            for layer in LAYERS
            for copies in (1, 2, 4)
        ],
        TITLE,
    )


def repetition():
    return draw_repetition(
        [
            {"layer": layer, "copies": copies} | number("energy", "p_copy")
            for layer in LAYERS
            for copies in (1, 2, 4)
        ],
        TITLE,
    )


def effects():
    return draw_effects(
        [
            {"layer": layer, "quantity": quantity, "effect": effect, "random_reached": 1.0}
            | number("share", "error", "random")
            for layer in LAYERS
            for quantity in QUANTITY_LABELS
            for effect in (0.1, 1.0)
        ],
        TITLE,
    )


def groups():
    return draw_groups(
        [
            {"layer": layer, "measure": measure, "group": group}
            | number("below_zero", "mean_energy")
            for layer in LAYERS
            for measure in STUDIED
            for group in (1, 2, 3)
        ],
        TITLE,
    )


def places():
    return draw_places(
        [
            {"layer": layer, "measure": measure, "place": place, "copies": copies} | number("value")
            for layer in LAYERS
            for measure in LABELS
            for place in LINES
            for copies in (1, 2, 4)
        ],
        TITLE,
    )


def attention_map():
    rows = [
        {"model": model, "layer": layer, "measure": measure, "outcome": "energy"}
        | number("partial", "shifted")
        for model in MODELS[:3]
        for layer in LAYERS
        for measure in STUDIED
    ]
    return draw_map(rows, [], TITLE)


def causes():
    where = {"condition": None, "at": None, "against": None}
    return [
        {"cause": cause, "observable": name, "dose": dose} | where | number("value", value=dose / 3)
        for cause in MODELS
        for name in ("omega", "surprisal", "row_entropy")
        for dose in (1.0, 2.0)
    ]


FIGURES = {
    **{f"{q} by layer": lambda q=q: curves(LAYERS, q, True) for q in QUANTITIES},
    **{f"{q} by model": lambda q=q: curves(MODELS, q, False) for q in QUANTITIES},
    "map": lambda: draw_layer_map(LAYERS, [curve()] * len(LAYERS), TITLE),
    "wells": lambda: wells(MODELS, 31),
    "wells of a few layers": lambda: wells(MODELS[:2], 4),
    "difference": difference,
    "volumes": volumes,
    "volumes of one model": lambda: volumes(MODELS[:1]),
    "trajectories": trajectories,
    "schedules": schedules,
    "logs": logs,
    "conservation": conservation,
    "periods": periods,
    "onsets": onsets,
    "found": found,
    "repetition": repetition,
    "effects": effects,
    "groups": groups,
    "places": places,
    "attention": attention_map,
    "doses": lambda: draw_doses(causes(), TITLE),
    "remains": lambda: draw_remains(causes(), TITLE),
}


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_off_or_over_something_else(name):
    assert not crowded(FIGURES[name]())


OF_LAYERS = ["entropy by layer", "periods", "onsets", "found", "repetition", "effects", "groups"]


@pytest.mark.parametrize("name", [*OF_LAYERS, "places"])
def test_many_layers_have_a_colour_bar_that_names_the_first_and_the_last(name):
    figure = FIGURES[name]()
    bar = figure.axes[-1]
    assert bar.get_ylabel() == "layer"
    named = [int(label.get_text()) for label in bar.get_yticklabels()]
    assert named[0] == 0 and named[-1] == 30 and len(named) > MOST_TOLD_APART
    in_legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert not any(text.startswith("layer") for text in in_legends)


@pytest.mark.parametrize(
    ("draw", "number"),
    [(conservation, MOST_TOLD_APART), (effects, 3)],
    ids=["conservation", "effects"],
)
def test_bands_are_drawn_where_they_can_be_told_apart(draw, number, monkeypatch):
    """Of many lines they lie over each other, and the legend names none."""

    def shaded(figure):
        return sum(
            isinstance(of, FillBetweenPolyCollection) for a in figure.axes for of in a.collections
        )

    def named(figure):
        return {text.get_text() for legend in figure.legends for text in legend.get_texts()}

    many = draw()
    assert shaded(many) == 0 and "K and V paired by chance" not in named(many)
    if draw is conservation:
        few = conservation(MODELS[:number])
        assert shaded(few) == 4 * number and "K and V paired by chance" in named(few)
    else:
        monkeypatch.setitem(effects.__globals__, "LAYERS", range(number))
        assert shaded(draw()) == 3 * 3 * number


def test_nothing_is_drawn_nearer_to_0_than_the_grid_tells():
    for axes in volumes(MODELS[:1]).axes:
        for line in axes.get_lines():
            x, y = np.array(line.get_xdata()), np.array(line.get_ydata())
            if len(x) > 2:
                assert np.isnan(y[np.abs(x) < 0.9 * LINEAR_BELOW]).all()


def test_21_models_are_all_in_the_legend():
    figure = FIGURES["entropy by model"]()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == MODELS


@pytest.mark.parametrize("models", [2, 9])
def test_triangles_of_upper_bounds_do_not_hide_each_other(models):
    figure = wells([f"model-{i}" for i in range(models)], 4)
    crowded(figure)
    axes = figure.axes[2]
    marks = [line for line in axes.get_lines() if line.get_marker() == "v"]
    assert len(marks) == models
    x = np.array([axes.transData.transform((line.get_xdata()[0], 0.1))[0] for line in marks])
    assert np.diff(x).min() > marks[0].get_markersize() * figure.dpi / 72 / 2
