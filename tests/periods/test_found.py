"""Periods that energies find: planted ones, and those of a unit that is repeated."""

import numpy as np
import pytest

from workflow_scripts.semstat.periods.found import describe_repeated, describe_written, units
from workflow_scripts.semstat.periods.onset_figures import draw_found
from workflow_scripts.semstat.periods.onset_tables import FOUND
from workflow_scripts.semstat.periods.rivals import NONE
from workflow_scripts.semstat.tables import table_of_rows

PERIODS = 6
LENGTH, ONSET = 120, 50


def history_of(token_t, position):
    found = [*token_t[max(position - PERIODS + 1, 1) : position + 1][::-1]]
    return found + [NONE] * (PERIODS - len(found))


def looping(period, rng):
    token_t = rng.permutation(5000)[: LENGTH + 1]
    for t in range(ONSET, LENGTH + 1):
        token_t[t] = token_t[t - period]
    return token_t


def test_a_written_loop_is_found_where_most_of_its_tops_close_it():
    rng = np.random.default_rng(0)
    period_d = [3, 4, 6, 6, 9, None, 2]
    says_d = [3, 2, 4, 0, 3, 3, 2]  # of what period the top is: right, a divisor, and not
    tokens_d = {d: looping(p, rng) if p else np.arange(LENGTH + 1) for d, p in enumerate(period_d)}
    rows = []
    for doc, says in enumerate(says_d):
        for position in range(1, LENGTH):
            history = history_of(tokens_d[doc], position)
            in_loop = position + 1 >= ONSET
            says_here = says if in_loop and position % 5 else 0  # most of the time
            top = history[says_here - 1] if says_here else 9999
            if not in_loop:
                top = history[0]
            rows.append((doc, position, top, history))
    doc, position, top, history = map(np.array, zip(*rows, strict=True))
    own = {"doc": doc, "position": position, "top": top, "history": history}
    null = own | {"top": np.full(len(doc), 9999)}
    row = describe_written(own, null, tokens_d, PERIODS, 0.95)
    assert row["documents"] == 5, "without a loop, and with a longer one, they are left out"
    assert row["found"] == pytest.approx(3 / 5) and row["null"] == 0
    assert row["beyond"] == pytest.approx(3 / 5) and row["copies"] is None
    assert 0 < row["found_low"] < 3 / 5 < row["found_high"] < 1 and row["null_low"] == 0
    assert row["beyond_low"] == pytest.approx(
        3 / 5 - np.hypot(3 / 5 - row["found_low"], row["null_high"])
    )
    nothing = describe_written(own, null, dict.fromkeys(tokens_d, np.arange(9)), PERIODS, 0.95)
    assert nothing["documents"] == 0 and np.isnan(nothing["found"])


def test_a_unit_is_found_where_its_next_token_is_the_rival():
    unit_d = {0: 1, 1: 3, 2: 3, 4: 6, 7: 8}
    rng = np.random.default_rng(0)
    parts = []
    for copies in (1, 2, 4):
        for doc, unit in unit_d.items():
            first = np.random.default_rng(doc).permutation(500)[: 12 + unit]
            token_t = np.concatenate([first[:12], np.tile(first[12:], copies), [600]])
            for position in range(1, len(token_t) - 1):
                history = history_of(token_t, position)
                last = position == len(token_t) - 2
                right = last and copies >= doc and unit <= PERIODS
                rival = history[unit - 1] if right else 700
                rows = (doc, position, copies, rival, token_t[position + 1], history)
                parts.append(rows)
    rng.shuffle(parts)
    names = ("doc", "position", "copies", "last", "correct", "history")
    own = dict(zip(names, map(np.array, zip(*parts, strict=True)), strict=True))
    null = own | {"last": np.full(len(own["doc"]), 700)}
    assert units(own).tolist() == list(unit_d.values())
    rows = describe_repeated(own, null, PERIODS, 999, 0.95)
    assert [row["copies"] for row in rows] == [1, 2, 4]
    assert [row["documents"] for row in rows] == [4, 4, 4], "a longer unit is left out"
    assert [row["found"] for row in rows] == [0.5, 0.75, 1.0]
    assert [row["null"] for row in rows] == [0, 0, 0]
    table = [
        {"model": "m", "dataset": "d", "layer": layer} | row for layer in (0, 3) for row in rows
    ]
    assert table_of_rows(table, FOUND).num_rows == 6
    drawn = draw_found(table, "m on d").axes[0].lines[0]
    assert drawn.get_xdata().tolist() == [1, 2, 4]
    assert drawn.get_ydata().tolist() == [0.5, 0.75, 1.0]
    longer = describe_repeated(own, null, 0, 999, 0.95)
    longer += describe_repeated(own, null, PERIODS, 12, 0.95)
    assert all(row["documents"] == 0 and np.isnan(row["found"]) for row in longer)


def test_a_continuation_that_is_the_copy_leaves_no_rival():
    own = {
        "doc": np.zeros(3, dtype=int),
        "position": np.array([1, 1, 2]),
        "copies": np.array([1, 2, 2]),
        "last": np.array([5, 4, 5]),
        "correct": np.array([5, 5, 5]),
        "history": np.array([[5, NONE], [5, NONE], [5, 5]]),
    }
    rows = describe_repeated(own, own, 2, 9, 0.95)
    assert [row["found"] for row in rows] == [0, 0]
