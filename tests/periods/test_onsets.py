"""Onsets of planted loops, whose approach is planted too, against plain loops."""

import numpy as np
import pytest

from workflow_scripts.semstat.periods.onset_figures import draw_onsets
from workflow_scripts.semstat.periods.onset_tables import OBSERVABLES, ONSETS, WARNINGS
from workflow_scripts.semstat.periods.onsets import (
    BEFORE,
    LAGS,
    REACH,
    Approach,
    ahead,
    describe_onsets,
    find_onset,
    observe,
)
from workflow_scripts.semstat.periods.rivals import NONE
from workflow_scripts.semstat.tables import table_of_rows

PERIODS, PROMPT, LENGTH = 4, 16, 200
DOCUMENTS = 24
PERIOD = {doc: 1 + doc % 5 for doc in range(16)}
"""Documents that loop, and the period: one in five is longer than what is looked at."""

ONSET = {doc: 80 + 3 * doc for doc in PERIOD}
WARNED = 5
"""States before an onset that are told apart."""


def document(doc, rng):
    """Distinct tokens, and where there is a loop the last ones again and again."""
    token_t = rng.permutation(5000)[: LENGTH + 1]
    if doc in PERIOD:
        for t in range(ONSET[doc], LENGTH + 1):
            token_t[t] = token_t[t - PERIOD[doc]]
    return token_t


@pytest.fixture(scope="module")
def made():
    """Tokens, and columns of states in which p(rival) grows before onsets."""
    rng = np.random.default_rng(0)
    tokens_d = {doc: document(doc, rng) for doc in range(DOCUMENTS)}
    return tokens_d, *(columns_of(tokens_d, rng, warn) for warn in (True, False))


def columns_of(tokens_d, rng, warn):
    rows = []
    for doc, token_t in tokens_d.items():
        for position in range(1, LENGTH):
            lag = position - ONSET.get(doc, 9999)
            near = warn and PERIOD.get(doc, 9) <= PERIODS and -WARNED <= lag < 0
            p_last = rng.uniform(0.1, 0.2) + 0.3 * near
            p_correct = rng.uniform(0.3, 0.4)
            history = [*token_t[max(position - PERIODS + 1, 1) : position + 1][::-1]]
            history += [NONE] * (PERIODS - len(history))
            correct = token_t[position + 1]
            rival = next((t for t in history if t not in (NONE, correct)), correct)
            top = rival if rng.random() < (0.9 if near else 0.05) else 6000
            rows.append((doc, position, rival, correct, p_last, p_correct, top, history))
    doc, position, last, correct, p_last, p_correct, top, history = map(
        np.array, zip(*rows, strict=True)
    )
    return {
        "doc": doc,
        "position": position,
        "last": last,
        "correct": correct,
        "log_p_last": np.log(np.where(last == correct, p_correct, p_last)),
        "log_p_correct": np.log(p_correct),
        "energy": np.where(last == correct, 0.0, p_correct - p_last),
        "entropy": rng.uniform(1, 2, len(doc)),
        "top": top,
        "history": history,
    }


def test_onsets_are_those_that_were_planted(made):
    tokens_d = made[0]
    for doc, token_t in tokens_d.items():
        onset = find_onset(token_t)
        if doc not in PERIOD:
            assert onset is None
            continue
        assert (onset.token, onset.period, onset.end) == (ONSET[doc], PERIOD[doc], LENGTH + 1)


def test_a_longer_period_that_begins_earlier_by_chance_is_no_onset():
    """Of period 2 · 3 the loop would begin a token earlier, but copy later."""
    token_t = np.array([0, 40, 3, 50, 60, *([1, 2, 3] * 20)])
    onset = find_onset(token_t)
    assert (onset.token, onset.period) == (8, 3)
    assert find_onset(np.arange(9)) is None and find_onset(np.array([0])) is None


def test_others_are_free_of_loops_for_a_while(made):
    tokens_d, own, _ = made
    approach = Approach.of(own, tokens_d, PROMPT, PERIODS)
    for state in range(len(own["doc"])):
        doc, position = own["doc"][state], own["position"][state]
        to_come = ONSET.get(doc)
        lag = position - to_come if to_come else None
        looked_at = PERIOD.get(doc, 99) <= PERIODS
        assert approach.near_s[state] == bool(looked_at and lag in LAGS and position >= PROMPT)
        # A loop of 48 tokens, of which 47 copy, would still have been found.
        ends = LENGTH + 1 - (position + REACH) >= 47
        free = lag < -REACH if to_come else ends
        assert approach.free_s[state] == (free and position >= PROMPT)


def test_what_is_planted_before_onsets_is_seen_from_there_on(made):
    tokens_d, own, null = made
    plain = {"energy": np.zeros(len(own["doc"]))}
    approach = Approach.of(own, tokens_d, PROMPT, PERIODS)
    rows, warnings = describe_onsets(own, approach, observe(own, null, plain), 0.99)
    assert {row["observable"] for row in rows} == set(OBSERVABLES)
    assert len(rows) == len(OBSERVABLES) * len(LAGS)
    looked_at = [doc for doc, period in PERIOD.items() if period <= PERIODS]
    for row in rows:
        assert row["documents"] == len(looked_at)
        if row["observable"] != "p_rival":
            continue
        at = [
            i
            for i in range(len(own["doc"]))
            if own["doc"][i] in looked_at
            and own["position"][i] - ONSET[own["doc"][i]] == row["lag"]
        ]
        p = [
            0.0 if own["last"][i] == own["correct"][i] else np.exp(own["log_p_last"][i]) for i in at
        ]
        assert row["value"] == pytest.approx(np.mean(p))
    of = {row["observable"]: row for row in warnings}
    for name in ("p_rival", "loop_energy", "closes"):
        assert of[name]["ahead"] == of[name]["excess_ahead"] == WARNED, name
    for name in ("energy", "entropy"):
        assert of[name]["null_area"] != of[name]["null_area"], "it has no null"
        assert of[name]["excess_ahead"] is None
    share = (WARNED - 1) / len(BEFORE)
    assert of["p_rival"]["area"] == pytest.approx(share + (1 - share) / 2, abs=0.05)
    assert of["loop_energy"]["area"] == pytest.approx((1 - share) / 2, abs=0.05)
    assert of["p_rival"]["excess_low"] > 0 and abs(of["p_rival"]["null_area"] - 0.5) < 0.1
    head = {"model": "m", "dataset": "d", "layer": 3}
    assert table_of_rows([head | row for row in warnings], WARNINGS).num_rows == len(OBSERVABLES)
    assert table_of_rows([head | row for row in rows], ONSETS).num_rows == len(rows)
    panels = draw_onsets([head | row for row in rows], "m on d").axes
    assert len(panels) == len(OBSERVABLES)
    drawn = next(line for line in panels[2].lines if len(line.get_xdata()) == len(LAGS))
    expected = [row["beyond"] for row in rows if row["observable"] == "p_rival"]
    np.testing.assert_allclose(drawn.get_ydata(), expected)


def test_how_far_ahead_is_counted_from_the_last_state_that_does_not_know_the_onset():
    def rows(sides):
        low = {"+": 0.1, "-": -0.2, "0": -0.1, "?": np.nan}
        high = {"+": 0.2, "-": -0.1, "0": 0.1, "?": np.nan}
        return [
            {"lag": i - len(sides), "beyond_low": low[side], "beyond_high": high[side]}
            for i, side in enumerate(sides)
        ]

    told = {"0+++0": 4, "0+++-": 4, "++++": 4, "-++-": 3, "-+-0": 2, "+0+": None, "+?+": None}
    assert {sides: ahead(rows(sides), "beyond") for sides in told} == told


def test_the_likeliest_recent_token_may_be_the_correct_one():
    own = {
        "energy": np.array([0.1, 0.0, 0.1]),
        "last": np.array([5, 7, 5]),
        "correct": np.array([6, 7, 9]),
        "log_p_last": np.log([0.2, 0.6, 0.2]),
        "log_p_correct": np.log([0.3, 0.6, 0.3]),
        "entropy": np.ones(3),
        "top": np.array([6, 7, 1]),
        "history": np.array([[5, 6], [7, NONE], [5, 6]]),
    }
    found = {name: of[0].tolist() for name, of in observe(own, own, None).items()}
    assert found["p_rival"] == pytest.approx([0.2, 0.0, 0.2])
    assert found["p_closing"] == pytest.approx([0.3, 0.6, 0.2])
    assert found["closes"] == [1, 1, 0] and "energy" not in found


def test_texts_without_loops_are_rows_without_numbers(made):
    tokens_d, own, null = made
    unlooped = {doc: np.arange(LENGTH + 1) for doc in tokens_d}
    approach = Approach.of(own, unlooped, PROMPT, PERIODS)
    rows, warnings = describe_onsets(own, approach, observe(own, null, None), 0.95)
    assert all(row["documents"] == 0 and np.isnan(row["value"]) for row in rows)
    assert all(row["onsets"] == 0 and row["others"] == DOCUMENTS for row in warnings)
    assert all(row["ahead"] is None and np.isnan(row["area"]) for row in warnings)
    head = {"model": "m", "dataset": "d", "layer": 3}
    assert table_of_rows([head | row for row in rows], ONSETS)["value"].null_count == len(rows)
    figure = draw_onsets([head | row for row in rows], "m on d")
    assert "no loop" in figure.get_suptitle()
