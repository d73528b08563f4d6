"""Figures of trained models show the numbers of their tables, and what is not there."""

import re

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tests.runs import REPO
from tests.training.trained import cured, group, groups_table, injected, numbers
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.figures import Figure
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import table_of, table_of_rows, write_table
from workflow_scripts.semstat.training.columns import FITTING
from workflow_scripts.semstat.training.figures import (
    dose_curves,
    draw_doses,
    draw_tradeoffs,
    panels_of,
    perplexity_axis,
    tradeoff_curves,
)
from workflow_scripts.semstat.training.log_figures import draw_logs
from workflow_scripts.semstat.training.tables import NUMBERS
from workflow_scripts.training.plot_doses import plot_doses
from workflow_scripts.training.plot_logs import plot_logs
from workflow_scripts.training.plot_tradeoffs import plot_tradeoffs

DRAW = {"doses": (draw_doses, injected), "tradeoffs": (draw_tradeoffs, cured)}

PLOT = {"doses": plot_doses, "tradeoffs": plot_tradeoffs}


@pytest.fixture(scope="module")
def figures():
    """Each figure, of rows of groups and of numbers with wide intervals."""
    found = {}
    for name, (draw, made) in DRAW.items():
        groups = made()
        rows = numbers(groups, wide=3.0)
        found[name] = draw(groups, rows, "sotu"), groups, rows
    return found


def panel(figure, title):
    """Panels of a title, with its lines joined."""
    return [axes for axes in figure.axes if axes.get_title(loc="left").replace("\n", " ") == title]


def value(rows, name, observable, condition=None, at=None):
    """The number of a group, of several layers the last."""
    wanted = {"group": name, "observable": observable, "condition": condition, "at": at}
    return [row for row in rows if wanted.items() <= row.items()][-1]["value"]


def color_of(family):
    (curve,) = (curve for curve in dose_curves(injected()) if curve.label == family)
    return curve.color


def lines(axes, color, points):
    """The lines of a colour with so many points."""
    return [
        line
        for line in axes.lines
        if to_hex(line.get_color()) == to_hex(color) and len(line.get_xdata()) == points
    ]


def test_doses_go_through_the_groups_of_a_family_and_controls_are_hollow(figures):
    figure, groups, rows = figures["doses"]
    against_rate, against_rep_2 = panel(figure, "rep-4, sampling at 0.5")
    for axes, dose in ((against_rate, "rate"), (against_rep_2, "rep_2")):
        (line,) = lines(axes, color_of("gpt2"), 5)
        own = [each for each in groups if each["family"] == "gpt2"]
        expected = [value(rows, each["group"], "rep_4", "sampling", 0.5) for each in own]
        np.testing.assert_allclose(line.get_ydata(), expected)
        np.testing.assert_allclose(line.get_xdata(), [each[dose] for each in own], atol=0.03)
        controls = lines(axes, color_of("llama"), 1)
        assert len(controls) == 4
        assert all(to_hex(line.get_markerfacecolor()) == "#ffffff" for line in controls)
    assert len({line.get_marker() for line in controls}) == 4


def test_reading_is_drawn_at_the_final_layer(figures):
    figure, _, rows = figures["doses"]
    (line,) = lines(panel(figure, "Ω(0⁻)")[0], color_of("llama"), 5)
    assert line.get_ydata()[0] == value(rows, "llama-00", "omega")
    assert [row["layer"] for row in rows if row["observable"] == "omega"][:2] == [0, 4]


def test_families_of_one_rate_have_no_line():
    groups = [*injected(("llama",)), group("lonely", family="lonely")]
    said = {curve.label: len(curve.groups) for curve in dose_curves(groups)}
    assert said.pop("llama") == 5 and "lonely" not in said and {*said.values()} == {1}


def test_many_conditions_are_as_many_as_there_is_room_for():
    many = {"greedy": [None], "sampling": np.linspace(0.1, 1, 10).round(1)}
    read, *written = panels_of(numbers(injected(), conditions=many), {"omega": "Ω"})
    assert [panel.said for panel in read] == ["Ω"]
    assert [panel.said for panel in written[0]] == [
        "rep-4, greedy",
        *(f"rep-4, sampling at {at}" for at in (0.3, 0.7, 1)),
    ]


def test_curves_of_tradeoffs_differ_in_more_than_the_strength():
    curves = {curve.label.replace("\n", " "): curve for curve in tradeoff_curves(cured())}
    barrier = curves["energy barrier, acts on text, periods 1"]
    assert [each["strength"] for each in barrier.groups] == [0.3, 1.0, 3.0, 10.0]
    others = ("energy barrier, acts on both, periods 1", "energy barrier, acts on text, periods 16")
    assert {*others, "ditto", "cross entropy", "smollm2, before"} <= curves.keys()
    assert len({curves[name].color for name in others} | {barrier.color}) == 1
    assert len({curves[name].marker["marker"] for name in others}) == 2


def test_what_no_group_has_leaves_its_panel_empty():
    rows = [row for row in numbers(cured()) if row["observable"] != "runs_energy"]
    read, *_ = panels_of(rows, {"omega": "Ω", "runs_energy": "H"})
    assert not read[1].rows and np.isnan(read[1].points(["smollm2"]).value).all()


def test_families_of_one_objective_are_not_among_tradeoffs():
    assert [curve.groups[0]["family"] for curve in tradeoff_curves([*cured(), *injected()])] == [
        "smollm2"
    ] * len(tradeoff_curves(cured()))


@pytest.mark.parametrize(
    ("draw", "groups", "said"),
    [(draw_tradeoffs, injected(), "two objectives"), (draw_doses, cured(), "two rates")],
)
def test_of_what_differs_in_nothing_there_is_no_figure(draw, groups, said):
    with pytest.raises(InputError, match=said):
        draw(groups, numbers(groups), "sotu")


def test_tradeoffs_go_through_strengths_in_order_which_stand_at_the_ends(figures):
    figure, groups, rows = figures["tradeoffs"]
    (axes,) = panel(figure, "loops, greedy")
    own = [each for each in groups if each["objective"] == "unlikelihood"]
    (curve,) = (c for c in tradeoff_curves(groups) if c.groups[0]["objective"] == "unlikelihood")
    (line,) = lines(axes, curve.color, 4)
    for got, place in (
        (line.get_xdata(), ("perplexity",)),
        (line.get_ydata(), ("looping", "greedy")),
    ):
        np.testing.assert_allclose(got, [value(rows, each["group"], *place) for each in own])
    said = [text for text in axes.texts if to_hex(text.get_color()) == to_hex(curve.color)]
    assert [text.get_text() for text in said] == ["0.3", "10"]


def test_perplexities_far_apart_are_logarithmic():
    axes = Figure().subplots()
    row = {"value": 40.0, "value_low": 30.0, "value_high": 50.0}
    perplexity_axis(axes, [row, row | {"value": 42.0}])
    assert axes.get_xscale() == "linear"
    perplexity_axis(axes, [row, {"value": 5000.0, "value_low": None, "value_high": None}])
    assert axes.get_xscale() == "log"


@pytest.mark.parametrize("name", DRAW)
def test_without_continuations_reading_is_drawn(name):
    draw, groups = DRAW[name]
    figure = draw(groups(), numbers(groups(), conditions={}), "sotu")
    assert panel(figure, "Ω(0⁻)") and not panel(figure, "rep-4, greedy")


@pytest.mark.parametrize("name", DRAW)
def test_nothing_overlaps(figures, name):
    figure, *_ = figures[name]
    figure.draw_without_rendering()
    axes = [each for each in figure.axes if each.get_title(loc="left")]
    boxes = [each.get_tightbbox() for each in axes]
    for i, box in enumerate(boxes):
        assert not box.padded(-1).count_overlaps(boxes[i + 1 :]), axes[i].get_title(loc="left")


def logs_of(groups):
    """Training logs by model."""
    rng = np.random.default_rng(0)
    logs = {}
    for model in (model for each in groups for model in each["models"].split(",")):
        log = {name: rng.uniform(0, 1, 6) for name in FITTING.names}
        log |= {"step": np.arange(6), "tokens": 1e5 * np.arange(6)}
        logs[model] = log
    return logs


def test_logs_are_means_over_models_in_their_range():
    groups = injected(("llama", "gpt2"), (0, 0.4))
    logs = logs_of(groups)
    figure = draw_logs(groups, logs, "Training")
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "llama" and len(axes.lines) == 6
    each = [logs[f"llama-00-{seed}"]["surprisal"] for seed in range(2)]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.mean(each, axis=0))
    np.testing.assert_allclose(axes.lines[0].get_xdata(), 0.1 * np.arange(6))
    assert [line.get_linestyle() for line in axes.lines] == ["-", "-", "--", "--", "--", "--"]


@pytest.fixture
def files(tmp_path):
    groups = cured()
    paths = {name: tmp_path / f"{name}.parquet" for name in ("groups", "numbers")}
    write_table(paths["groups"], groups_table(groups), {})
    rows = numbers(groups, conditions={"greedy": [None]})
    write_table(paths["numbers"], table_of_rows(rows, NUMBERS), {})
    return tmp_path, groups, paths


def words_of(folder, paths, *more):
    out = [f"--svg={folder / 'made.svg'}", f"--pdf={folder / 'made.pdf'}"]
    return [*map(str, paths), *more, *out]


def test_commands_save_both_formats(files):
    folder, _, paths = files
    words = words_of(folder, [paths["numbers"], "--groups", paths["groups"]], "--dataset=sotu")
    call(plot_tradeoffs, words)
    assert (folder / "made.svg").stat().st_size and (folder / "made.pdf").stat().st_size
    with pytest.raises(InputError, match="has no numbers of nothing; name a dataset"):
        call(plot_doses, [word.replace("=sotu", "=nothing") for word in words])


def test_logs_of_all_models_are_wanted(files):
    folder, groups, paths = files
    trained = [each for each in groups if each["objective"]]
    logs = []
    for model, log in logs_of(trained).items():
        logs.append(folder / f"{model}.parquet")
        write_table(logs[-1], table_of(log, FITTING), Provenance(model={"model": model}))
    call(plot_logs, words_of(folder, [*logs, "--groups", paths["groups"]]))
    assert (folder / "made.svg").stat().st_size
    with pytest.raises(InputError, match="there is no log of ditto-21-1; give its file too"):
        call(plot_logs, words_of(folder, [*logs[:-1], "--groups", paths["groups"]]))


def test_every_figure_and_table_has_a_caption_that_names_no_other_wildcard():
    rules = (REPO / "rules" / "training.smk").read_text()
    captions = {path.stem: path.read_text() for path in (REPO / "report" / "training").iterdir()}
    assert captions.keys() == {
        *("logs", "doses", "tradeoffs"),
        *(f"{name}_table" for name in ("groups", "numbers", "doses")),
    }
    for name, text in captions.items():
        said = set(re.findall(r"wildcards\.(\w+)", text))
        assert said == ({"dataset"} if name in DRAW else set())
    assert all(f'"{name}' in rules for name in ("logs", "doses", "tradeoffs", "groups", "numbers"))
