"""Rates of entering and leaving loops, against a chain of two states and a count by hand."""

import numpy as np
import pytest

from workflow_scripts.semstat.criticality.crossings import Crossings, count_crossings
from workflow_scripts.semstat.generation.near_loops import find_windows

SHORT = np.arange(1, 17)
EVERY = np.arange(1, 129)


def text_of_chain(rng, tokens, enter, leave, periods, changed=0.0):
    """Random tokens; inside, a copy of those a period before, a share of them changed."""
    text, period = rng.integers(50_000, size=tokens).tolist(), 0
    for t, (cross, change) in enumerate(rng.random((tokens, 2)).tolist()):
        entered = not period and cross < enter
        if entered:
            period = int(rng.choice(periods))
            period = period if period <= t else 0
        elif cross < leave:
            period = 0
        if period and (entered or change >= changed):
            text[t] = text[t - period]
    return text


def lasting(leave, periods):
    """Probability that what is entered lasts until it is a loop, mean over periods."""
    return np.mean((1 - leave) ** (np.maximum(2 * periods, 48 - periods) - 1.0))


def unseen(leave, periods):
    """Mean tokens that one spends in what never becomes a loop."""
    t_k = [np.arange(1, size) for size in np.maximum(2 * periods, 48 - periods)]
    return np.mean([(t * leave * (1 - leave) ** (t - 1.0)).sum() for t in t_k])


@pytest.mark.parametrize(
    ("enter", "leave", "periods", "texts"),
    [
        (1e-4, 1e-3, SHORT, 1200),
        (1e-3, 1e-4, SHORT, 600),
        (3e-3, 3e-3, SHORT, 500),
        (3e-2, 3e-2, SHORT, 400),
        (1e-2, 1e-3, EVERY, 500),
    ],
)
def test_rates_are_those_of_the_chain_at_every_length(enter, leave, periods, texts):
    rng = np.random.default_rng(3)
    whole = [
        find_windows(text_of_chain(rng, 512, enter, leave, periods), exact=True)
        for _ in range(texts)
    ]
    for tokens in (128, 256, 512):
        found = Crossings.total(count_crossings(windows.within(tokens)) for windows in whole)
        seen = periods[periods <= tokens // 3]
        asked = enter * len(seen) / len(periods)
        expected = asked * lasting(leave, seen) / (1 + asked * unseen(leave, seen))
        seen_k = found.outside_k > 0
        error = np.sqrt((found.entered_k[seen_k] / found.outside_k[seen_k] ** 2.0).sum())
        assert abs(found.entering() - expected) < 3 * max(error, 0.02 * expected)
        if found.inside * leave > 5:
            assert found.leaving() == pytest.approx(leave, abs=3 * np.sqrt(leave / found.inside))


def test_crossings_are_counted_where_they_could_be_seen():
    text = [*range(100, 140), *[1, 2, 3] * 20, *range(200, 240)]
    found = count_crossings(find_windows(text, exact=True))
    # Copying begins at 43 and ends at 100; it is a loop once 45 tokens are copied, at 88.
    assert found.entered_k.sum() == found.entered_k[2] == found.left == 1
    assert found.inside == 100 - 88 + 1
    outside = [*range(44), *range(101, 140)]
    for period in (1, 3, 16, 17, 46):
        needed = max(2 * period, 48 - period)
        fits = [t for t in outside if period <= t <= 140 - needed]
        assert found.outside_k[period - 1] == len(fits)
    assert found.outside_k[46:].sum() == 0
    assert np.isnan(count_crossings(find_windows([])).entering())


def test_what_goes_on_to_the_end_was_not_left():
    text = [*range(100, 140), *[1, 2, 3] * 20]
    for exact in (True, False):
        found = count_crossings(find_windows(text, exact))
        assert found.left == 0 and found.entered_k.sum() == 1
    # A near-loop may go on after a few changes, so that the last tokens do not tell.
    inside = count_crossings(find_windows([*text, 7], exact=True))
    near = count_crossings(find_windows([*text, 7]))
    assert inside.left == 1 and near.left == 0 and near.inside < inside.inside
    assert count_crossings(find_windows([*text, *range(200, 240)])).left == 1


def test_changes_within_a_near_loop_are_no_crossings():
    rng = np.random.default_rng(4)
    texts = [text_of_chain(rng, 1024, 1e-3, 1e-3, SHORT, changed=0.02) for _ in range(300)]
    exact, near = (
        Crossings.total(count_crossings(find_windows(text, exact)) for text in texts)
        for exact in (True, False)
    )
    assert near.leaving() == pytest.approx(1e-3, rel=0.35)
    assert exact.leaving() > 10e-3
    assert near.entering() == pytest.approx(1e-3 * lasting(1e-3, SHORT), rel=0.25)


def test_rates_of_texts_are_of_their_sums():
    one = Crossings(np.array([1, 0]), np.array([10, 0]), 2, 5)
    other = Crossings(np.array([2, 1]), np.array([10, 4]), 0, 3)
    both = Crossings.total([one, other])
    assert (both.left, both.inside, both.outside_k.tolist()) == (2, 8, [20, 4])
    assert both.leaving() == 0.25
