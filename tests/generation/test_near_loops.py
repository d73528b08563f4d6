"""Near-loops of texts, against a search by hand."""

import math

import numpy as np
import pytest

from workflow_scripts.semstat.generation.loops import Loops, find_loops, looping_tokens
from workflow_scripts.semstat.generation.near_loops import find_windows


def windows_by_hand(tokens, exact):
    """(period, first compared, end) of every window."""
    for period in range(1, min(128, len(tokens) // 3) + 1):
        compared = max(2 * period, 48 - period)
        share = 1.0 if exact else min(0.85, 1 - 1 / period) if period >= 4 else 0.85
        for begin in range(period, len(tokens) - compared + 1):
            end = begin + compared
            same = [tokens[t] == tokens[t - period] for t in range(begin, end)]
            sharp = same[0] and sum(same[:3]) >= 2 and same[-1] and sum(same[-3:]) >= 2
            if sharp and sum(same) >= math.ceil(share * compared - 1e-9):
                yield period, begin, end


def repeating(rng, alphabet, changed):
    """A text with stretches that repeat, a share of their tokens changed."""
    parts = [rng.integers(alphabet, size=rng.integers(40))]
    for _ in range(rng.integers(1, 3)):
        unit = rng.integers(alphabet, size=rng.integers(1, 40))
        copies_t = np.resize(unit, int(rng.uniform(2.5, 5) * max(len(unit), 16)))
        parts += [np.where(rng.random(len(copies_t)) < changed, alphabet, copies_t)]
        parts += [rng.integers(alphabet, size=rng.integers(40))][: rng.integers(2)]
    return np.concatenate(parts)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("alphabet", "changed"), [(1, 0.2), (2, 0.05), (50, 0.03), (50, 0.1)])
def test_windows_are_those_found_by_hand_in_the_text_and_in_its_beginnings(
    alphabet, changed, exact
):
    rng = np.random.default_rng(alphabet)
    found_any = 0
    for _ in range(12):
        token_t = repeating(rng, alphabet, changed)
        windows = find_windows(token_t, exact)
        found = list(zip(windows.period_w, windows.begin_w, windows.end_w, strict=True))
        assert found == list(windows_by_hand(token_t.tolist(), exact))
        looping_t = np.zeros(len(token_t), dtype=bool)
        copied_t = looping_t.copy()
        for period, begin, end in found:
            looping_t[begin - period : end] = copied_t[begin:end] = True
        np.testing.assert_array_equal(windows.looping(), looping_t)
        np.testing.assert_array_equal(windows.copied(), copied_t)
        for tokens in (0, 47, 90, 10_000):
            again = find_windows(token_t[:tokens], exact)
            for of_prefix, expected in zip(windows.within(tokens), again, strict=True):
                np.testing.assert_array_equal(of_prefix, expected)
        found_any += bool(found)
    assert found_any > 1 or (exact and changed >= 0.1)


def test_every_loop_is_a_near_loop():
    rng = np.random.default_rng(1)
    with_loops = 0
    for _ in range(300):
        token_t = repeating(rng, int(rng.choice([1, 2, 3, 1000])), rng.choice([0, 0, 0.02]))
        looping_t = looping_tokens(token_t)
        assert not (looping_t & ~find_windows(token_t).looping()).any()
        np.testing.assert_array_equal(find_windows(token_t, exact=True).looping(), looping_t)
        loops = find_loops(token_t)
        assert looping_t.mean() == loops.share
        assert bool(looping_t[-1]) == loops.ends
        with_loops += looping_t.any()
    assert with_loops > 100
    assert looping_tokens([]).shape == (0,)


@pytest.mark.parametrize("period", [4, 5, 6, 7, 12, 16, 17, 40, 128])
def test_a_counter_is_found_where_one_token_of_each_copy_changes(period):
    rng = np.random.default_rng(period)
    copies_cp = np.tile(rng.integers(1000, size=period), (max(4, math.ceil(60 / period)), 1))
    copies_cp[:, rng.integers(period)] = 5000 + np.arange(len(copies_cp))
    around = rng.integers(2000, 4000, size=(2, 100))
    token_t = np.concatenate([around[0], copies_cp.ravel(), around[1]])
    loops = find_windows(token_t).loops()
    assert find_loops(token_t).onset is None
    assert loops.period == period
    assert 0 <= loops.onset - 100 <= 3 and not loops.ends
    assert abs(loops.share * len(token_t) - copies_cp.size) <= 6


def test_lists_and_copies_of_other_lengths_are_no_near_loops():
    nothing = Loops(None, None, False, 0.0)
    names = range(100, 200)
    assert find_windows([token for name in names for token in (name, 1)]).loops() == nothing
    assert find_windows([token for name in names for token in (name, 1, 2)]).loops() == nothing
    unit = list(range(20))
    longer_and_longer = [token for i in range(12) for token in [*unit, *[50 + i] * (1 + i)]]
    assert find_windows(longer_and_longer).loops() == nothing


def test_the_period_is_the_one_at_which_most_is_equal():
    """A change in the second copy lets twice the period begin first."""
    rng = np.random.default_rng(2)
    for period in (5, 9, 23):
        token_t = np.resize(rng.integers(1000, size=period), 12 * period)
        token_t[period] = 5000
        windows = find_windows(token_t)
        assert windows.loops().period == period
        assert (windows.begin_w - windows.period_w)[windows.period_w == 2 * period].min() == 0
        assert (windows.begin_w - windows.period_w)[windows.period_w == period].min() > 0
