"""Figures of causes show the numbers of their table."""

import numpy as np
import pytest

from tests.causes.test_responses import NOISE, NUMBERS, SHARP, model
from workflow_scripts.semstat.causes.figures import draw_doses, draw_remains, label_of, places_of
from workflow_scripts.semstat.causes.responses import Cause, describe_causes
from workflow_scripts.semstat.causes.tables import CAUSES
from workflow_scripts.semstat.tables import table_of_rows
from workflow_scripts.semstat.training.observables import Place


@pytest.fixture(scope="module")
def rows():
    entropy = Place("d", None, None, None, "row_entropy")
    numbers = {
        name: of | {entropy: of[Place("d", None, None, None, "omega")]}
        for name, of in NUMBERS.items()
    }
    written = Place("d", None, "sampled", None, "rep_4")
    numbers["cold"] = {written: model(0, 0.9)[Place("d", None, None, None, "omega")]}
    numbers["hot"] = {written: model(0, 0.1)[Place("d", None, None, None, "omega")]}
    heat = Cause("heat", "d", {"cold": 0.5, "hot": 1.0})
    return table_of_rows(describe_causes([SHARP, NOISE, heat], numbers, 0.95), CAUSES).to_pylist()


def titled(figure):
    return {axes.get_title(loc="left").replace("\n", " "): axes for axes in figure.axes}


def points(axes):
    """(x, y) of each line through points, with None of bars left out."""
    return [np.array(container.lines[0].get_data()).T.tolist() for container in axes.containers]


def test_a_panel_is_a_cause(rows):
    panels = titled(draw_doses(rows, "d"))
    assert {"sharp", "noise", "heat"} <= panels.keys()
    omega, loops = points(panels["sharp"])
    assert omega == pytest.approx(np.array([[1, 0.1], [2, 0.3], [3, 0.7]]))
    assert loops == pytest.approx(np.array([[1, 0.2], [2, 0.2], [3, 0.3]]))
    assert points(panels["heat"])[0] == pytest.approx(np.array([[0.5, 0.9], [1, 0.1]]))


def test_causes_stand_beside_each_other_by_surprisal_and_by_attention(rows):
    figure = draw_remains(rows, "d")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["sharp", "noise"], "a condition has no surprisal of reading"
    of_omega = titled(figure)["Ω(0⁻) when reading"]
    sharp, noise = points(of_omega)
    assert sharp == pytest.approx(np.array([[3, 0.1], [3.5, 0.3], [4.5, 0.7]]))
    assert noise == pytest.approx(np.array([[3, 0.1], [4, 0.3], [5, 0.5]]))
    assert len(figure.axes) == 2 * len(places_of(rows_of_models(rows)))


def test_causes_that_stand_beside_none_are_not_drawn_there(rows):
    alone = [
        row | {"cause": "alone"} for row in rows if row["cause"] == "noise" and not row["against"]
    ]
    figure = draw_remains(rows + alone, "d")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sharp", "noise"]
    figure = draw_remains(alone, "d")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["alone"]


def test_conditions_are_those_that_the_most_causes_have(rows):
    seldom = [
        row | {"at": 0.3}
        for row in rows
        if row["cause"] == "sharp" and row["observable"] == "rep_4"
    ]
    assert seldom
    assert places_of(rows_of_models([*rows, *seldom])) == places_of(rows_of_models(rows))


def rows_of_models(rows):
    return [row for row in rows if row["cause"] != "heat"]


def test_places_are_called_by_their_condition():
    assert label_of(("rep_4", "sampled", 0.5)) == "rep-4, sampled at 0.5"
    assert label_of(("rep_4", "greedy", None)) == "rep-4, greedy"
