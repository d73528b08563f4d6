"""Every state is scored once, with the longest history that any window gives it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts.semstat.models import windows
from workflow_scripts.semstat.models.first_state import FEWEST_TOKENS
from workflow_scripts.semstat.models.windows import (
    Window,
    batch_windows,
    buffer_windows,
    cut_windows,
    shuffled_predecessors,
)

QUICK = settings(deadline=None, database=None, derandomize=True)


@st.composite
def documents(draw):
    """Tokens, context and stride."""
    context = draw(st.integers(1, 30))
    return (
        np.arange(draw(st.integers(FEWEST_TOKENS, 120)), dtype=np.int32),
        context,
        draw(st.integers(1, context)),
    )


@QUICK
@given(documents())
def test_every_state_is_scored_once_in_order_with_the_longest_history(document):
    tokens_t, context, stride = document
    cut = list(cut_windows(7, tokens_t, context, stride))
    scored = [w.start + i for w in cut for i in range(w.first, w.positions)]
    assert scored == list(range(1, len(tokens_t) - 1))
    assert sum(window.states for window in cut) == len(scored)
    for window in cut:
        assert window.doc == 7
        assert 0 <= window.first < window.positions <= context
        assert window.start % stride == 0
        np.testing.assert_array_equal(
            window.tokens_t, tokens_t[window.start : window.start + window.positions + 1]
        )
        for position in range(window.start + window.first, window.start + window.positions):
            possible = [
                start for start in range(0, position + 1, stride) if position < start + context
            ]
            assert window.start == min(possible)


@pytest.mark.parametrize("tokens", [3, 6, 7, 11, 12, 13])
def test_windows_do_not_overlap_where_the_stride_is_the_context(tokens):
    cut = list(cut_windows(0, np.arange(tokens, dtype=np.int32), 5, 5))
    assert [window.first for window in cut] == [1] + [0] * (len(cut) - 1)
    assert [window.start for window in cut] == list(range(0, tokens - 1, 5))


def test_a_window_of_the_prefix_token_alone_is_none():
    cut = list(cut_windows(0, np.arange(4, dtype=np.int32), 1, 1))
    assert [(window.start, window.first, window.states) for window in cut] == [(1, 0, 1), (2, 0, 1)]


def of_length(positions: int, doc: int = 0) -> Window:
    return Window(doc, 0, np.zeros(positions + 1, dtype=np.int32), 0)


lengths = st.lists(st.integers(1, 40), min_size=1, max_size=60)


@QUICK
@given(lengths, st.integers(1, 100))
def test_batches_hold_every_window_once_within_the_budget(lengths, budget):
    cut = [of_length(length) for length in lengths]
    batches = batch_windows(cut, budget)
    assert sorted(itertools.chain(*batches)) == list(range(len(cut)))
    widths = [max(lengths[i] for i in batch) for batch in batches]
    assert widths == sorted(widths, reverse=True)
    for batch, width in zip(batches, widths, strict=True):
        assert len(batch) * width <= budget or len(batch) == 1


@QUICK
@given(lengths, st.integers(1, 10))
def test_buffers_keep_the_order_and_their_bound(lengths, budget):
    cut = [of_length(length, doc) for doc, length in enumerate(lengths)]
    buffers = list(buffer_windows(iter(cut), budget))
    assert [window.doc for buffer in buffers for window in buffer] == list(range(len(cut)))
    for buffer in buffers:
        *all_but_last, _last = [window.positions for window in buffer]
        assert sum(all_but_last) < windows.BUFFERED_BATCHES * budget


def test_no_windows_make_no_buffer():
    assert list(buffer_windows([], 10)) == []


def test_a_shuffled_order_is_one_round_trip_that_leaves_the_prefix_token_out():
    cut = [window for doc in range(3) for window in cut_windows(doc, np.arange(41), 16, 12)]
    rows = shuffled_predecessors(cut)
    for row, window in zip(rows, cut, strict=True):
        first = 1 if window.start == 0 else 0
        outside = [t for t in range(len(row)) if not first <= t < window.positions]
        assert row[outside].tolist() == outside
        trip = [first]
        while row[trip[-1]] != first:
            trip.append(int(row[trip[-1]]))
        assert sorted(trip) == list(range(first, window.positions))
    assert len({tuple(row) for row in rows}) == len(rows), "each has an order of its own"
    again = [row for window in cut[::-1] for row in shuffled_predecessors([window])]
    for row, alone in zip(rows, again[::-1], strict=True):
        np.testing.assert_array_equal(row[: len(alone)], alone)


def test_a_single_position_has_nothing_before_it():
    assert shuffled_predecessors(list(cut_windows(0, np.arange(3), 16, 16))).tolist() == [[0, 1]]
