"""States beside others at the same positions, against plain loops and what is known to be there."""

import numpy as np
import pytest

from workflow_scripts.semstat.periods.matched import STRATUM, Matched

DOCUMENTS, LENGTH = 24, 96


def states(seed, apart=0.0):
    """Columns in which values go with the position and the document, and cases are set apart."""
    rng = np.random.default_rng(seed)
    doc_s = np.repeat(np.arange(DOCUMENTS), LENGTH)
    position_s = np.tile(np.arange(LENGTH), DOCUMENTS)
    case_s = rng.random(len(doc_s)) < 0.05 * (1 + position_s / LENGTH)
    other_s = ~case_s & (rng.random(len(doc_s)) < 0.5)
    value_s = rng.normal(size=len(doc_s)) + rng.normal(size=DOCUMENTS)[doc_s] + position_s / 16
    return doc_s, position_s, case_s, other_s, value_s + apart * case_s


def by_hand(position_s, case_s, other_s, of):
    """Mean over the cases of a number of each and of the others at its positions."""
    found = []
    for state in np.flatnonzero(case_s):
        there_s = other_s & (position_s // STRATUM == position_s[state] // STRATUM)
        found.append(of(state, np.flatnonzero(there_s)))
    return np.mean(found)


def test_numbers_are_those_of_plain_loops():
    doc_s, position_s, case_s, other_s, value_s = states(0)
    value_s = np.round(value_s)  # so that there are ties
    matched = Matched.of(doc_s, position_s, case_s, other_s)
    where = position_s, case_s, other_s

    def apart(state, there):
        return value_s[state] - value_s[there].mean()

    def above(state, there):
        return np.mean((value_s[there] < value_s[state]) + 0.5 * (value_s[there] == value_s[state]))

    assert matched.difference(value_s).value == pytest.approx(by_hand(*where, apart))
    assert matched.area(value_s).value == pytest.approx(by_hand(*where, above))
    assert matched.area(-value_s).value == pytest.approx(1 - by_hand(*where, above))


def test_intervals_hold_what_is_there():
    """Positions differ, documents differ, and cases are apart by one standard deviation."""
    held = {"difference": [], "area": []}
    for seed in range(200):
        doc_s, position_s, case_s, other_s, value_s = states(seed, 1.0)
        matched = Matched.of(doc_s, position_s, case_s, other_s)
        difference = matched.difference(value_s).interval(0.95)
        held["difference"].append(difference.low <= 1 <= difference.high)
        *_, free_s = states(seed, 0.0)
        area = matched.area(free_s).interval(0.95)
        held["area"].append(area.low <= 0.5 <= area.high)
    for name, of in held.items():
        assert 0.9 <= np.mean(of) <= 0.995, name


def test_states_without_others_there_are_left_out():
    doc_s, position_s, case_s, other_s, value_s = states(0)
    other_s &= position_s >= STRATUM
    alone_s = (position_s // STRATUM == 2) & (doc_s > 0)  # one document's others are none
    matched = Matched.of(doc_s, position_s, case_s, other_s & ~alone_s)
    assert len(matched.case_s) == sum(
        case_s & (position_s >= STRATUM) & (position_s // STRATUM != 2)
    )
    for nobody in (case_s, np.zeros_like(case_s)):
        empty = Matched.of(doc_s, position_s, nobody, np.zeros_like(case_s))
        for number in (empty.difference(value_s), empty.area(value_s)):
            assert np.isnan(number.interval(0.95)).all()
