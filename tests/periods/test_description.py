"""Shares by period against plain counts, and a planted loop that H alone does not see."""

import numpy as np
import pytest

from workflow_scripts.semstat.periods.description import describe_periods
from workflow_scripts.semstat.periods.figures import draw_periods
from workflow_scripts.semstat.periods.tables import PERIODS
from workflow_scripts.semstat.tables import table_of_rows

LONGEST = 4
DOCUMENTS, LENGTH = 12, 30


def states(seed, below=0.3):
    """Loop energies whose rival is some token of a history of distinct ones."""
    rng = np.random.default_rng(seed)
    number = DOCUMENTS * LENGTH
    history = np.argsort(rng.random((number, 9)), axis=1)[:, :LONGEST]
    period = rng.integers(0, LONGEST, number)
    return {
        "doc": np.repeat(np.arange(DOCUMENTS), LENGTH),
        "energy": np.where(rng.random(number) < below, -0.1, 0.2),
        "history": history,
        "last": history[np.arange(number), period],
    }


def test_shares_are_those_of_plain_counts():
    own, null = states(0), states(1, 0.1)
    rows = describe_periods(own, null, LONGEST, 0.95)
    assert [row["period"] for row in rows] == [None, 1, 2, 3, 4]
    for row in rows:
        shares = []
        for of in (own, null):
            hits = 0
            for energy, rival, tokens in zip(of["energy"], of["last"], of["history"], strict=True):
                period = tokens.tolist().index(rival) + 1
                hits += energy < 0 and row["period"] in (None, period)
            shares.append(hits / len(of["doc"]))
        assert row["share"] == pytest.approx(shares[0]) and row["null"] == pytest.approx(shares[1])
        assert row["beyond"] == pytest.approx(shares[0] - shares[1])
        assert row["beyond_low"] < row["beyond"] < row["beyond_high"]
        assert row["states"] == DOCUMENTS * LENGTH and row["documents"] == DOCUMENTS
    assert sum(row["share"] for row in rows[1:]) == pytest.approx(rows[0]["share"])


def test_the_interval_holds_no_difference():
    held = []
    for seed in range(200):
        row = describe_periods(states(2 * seed), states(2 * seed + 1), LONGEST, 0.95)[0]
        held.append(row["beyond_low"] <= 0 <= row["beyond_high"])
    assert 0.9 < np.mean(held) < 0.99


def test_the_figure_has_a_line_a_layer():
    rows = [
        {"model": "m", "dataset": "d", "layer": layer} | row
        for layer in (0, 6)
        for row in describe_periods(states(layer), states(9, 0.1), LONGEST, 0.95)
    ]
    assert table_of_rows(rows, PERIODS).num_rows == len(rows)
    by_period, by_layer = draw_periods(rows, "m on d").axes
    lines = [line for line in by_period.lines if len(line.get_xdata()) == LONGEST]
    for line, layer in zip(lines, (0, 6), strict=True):
        of = [r["beyond"] for r in rows if r["layer"] == layer and r["period"]]
        np.testing.assert_allclose(line.get_ydata(), of)
    assert [line.get_xdata().tolist() for line in by_layer.lines] == [[0, 6], [0, 6]]
