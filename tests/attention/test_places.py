"""States by place: copies counted by hand, means against plain loops, and the same positions."""

import numpy as np
import pytest

from tests.attention.made import LENGTH, states
from workflow_scripts.semstat.attention.place_figures import LABELS, draw_places
from workflow_scripts.semstat.attention.places import CLASSES, copies_so_far, describe_places
from workflow_scripts.semstat.attention.tables import PLACED, PLACES
from workflow_scripts.semstat.tables import table_of_rows


def copies_by_hand(token_t, kind):
    """The how many-th copy each token is in, of the shortest period, and of the first such run."""
    found = [0] * len(token_t)
    for period in range(1, len(token_t) // 2 + 1):
        if (period == 1) != (kind == "token"):
            continue
        for begin in range(len(token_t)):
            end = begin + period
            while end < len(token_t) and token_t[end] == token_t[end - period]:
                end += 1
            fewest = 2 if kind == "token" else 3
            before = begin - 1
            reaches = before + period < len(token_t)
            begins = begin == 0 or (reaches and token_t[before] != token_t[before + period])
            phrase = token_t[begin : begin + period]
            shorter = any(
                period % p == 0 and phrase == phrase[:p] * (period // p) for p in range(1, period)
            )
            if end - begin >= fewest * period and begins and not shorter:
                for t in range(begin, end):
                    found[t] = found[t] or (t - begin) // period + 1
    return found


@pytest.mark.parametrize("kind", ["token", "phrase"])
def test_copies_so_far_are_those_counted_by_hand(kind):
    rng = np.random.default_rng(0)
    for _ in range(60):
        token_t = rng.integers(0, 2 + rng.integers(3), 24)
        assert copies_so_far(token_t)[kind].tolist() == copies_by_hand(token_t.tolist(), kind)


@pytest.fixture
def column():
    columns = states(documents=8)
    rng = np.random.default_rng(1)
    number = len(columns["doc"])
    columns |= {name: np.zeros(number, dtype=np.int64) for name in ("token", "phrase")}
    columns["token"][rng.random(number) < 0.2] = 5
    columns["phrase"][rng.random(number) < 0.2] = 3
    columns["relative_norm"] = rng.uniform(0, 1, number).astype(np.float32)
    columns["surprisal"] = -columns["log_p_correct"].astype(np.float64)
    return columns


def place_of(column, state):
    if column["token"][state]:
        return "token", 4
    return ("phrase", 3) if column["phrase"][state] else ("elsewhere", None)


def test_means_are_those_of_plain_loops(column):
    rows = describe_places(column, 0.95)
    places = [place_of(column, state) for state in range(len(column["doc"]))]
    assert {(row["measure"], row["place"], row["copies"]) for row in rows} == {
        (measure, *place) for measure in PLACED if measure != "unspent" for place in set(places)
    }
    for row in rows:
        value_s = column[row["measure"]].astype(np.float64)
        here = [
            state
            for state, place in enumerate(places)
            if place == (row["place"], row["copies"]) and not np.isnan(value_s[state])
        ]
        assert row["states"] == len(here)
        assert row["value"] == pytest.approx(np.mean(value_s[here]))
        assert row["value_low"] < row["value"] < row["value_high"]
        beyond = []
        for state in here:
            others = [
                value_s[other]
                for other, place in enumerate(places)
                if place[0] == "elsewhere"
                and column["position"][other] == column["position"][state]
                and not np.isnan(value_s[other])
            ]
            beyond += [value_s[state] - np.mean(others)] if others else []
        assert row["beyond"] == pytest.approx(np.mean(beyond), abs=1e-9)


def test_what_hangs_on_the_position_alone_is_nothing_beyond_it(column):
    column["sink"] = 1 / column["position"].astype(np.float32)
    column["phrase"][column["position"] > LENGTH // 2] = 3
    column["phrase"][:LENGTH] = column["token"][:LENGTH] = 0
    rows = [row for row in describe_places(column, 0.95) if row["measure"] == "sink"]
    (phrase,) = (row for row in rows if row["place"] == "phrase")
    (others,) = (row for row in rows if row["place"] == "elsewhere")
    assert phrase["value"] < 0.7 * others["value"]
    assert phrase["beyond"] == pytest.approx(0, abs=1e-7)


def test_where_all_is_one_run_there_is_nothing_to_compare_with(column):
    column["token"][:] = np.tile(np.arange(1, LENGTH + 1), 8)
    rows = describe_places(column, 0.95)
    assert {row["copies"] for row in rows} == {least for least in CLASSES if least <= LENGTH}
    assert all(np.isnan(row["beyond"]) for row in rows)
    one = describe_places({name: values[:LENGTH] for name, values in column.items()}, 0.95)
    assert all(np.isnan(row["value_low"]) for row in one), "one document has no scatter"


def test_rows_fit_their_table(column):
    head = {"model": "m", "dataset": "d", "layer": 1}
    rows = [head | row for row in describe_places(column, 0.95)]
    assert table_of_rows(rows, PLACES).num_rows == len(rows)


def test_the_figure_has_a_line_a_layer(column):
    rows = [
        {"model": "m", "dataset": "d", "layer": layer} | row
        for layer in (0, 4)
        for row in describe_places(column, 0.95)
    ]
    figure = draw_places(rows, "m on d")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        *("layer 0", "layer 4", "elsewhere")
    ]
    of_token = figure.axes[[*LABELS].index("sink")]
    drawn = [line for line in of_token.lines if line.get_linestyle() == "-"]
    (row,) = (
        row for row in rows if (row["layer"], row["measure"], row["place"]) == (0, "sink", "token")
    )
    for line in drawn:
        assert line.get_xdata().tolist() == [4.0] and line.get_ydata() == pytest.approx(
            row["value"]
        )
