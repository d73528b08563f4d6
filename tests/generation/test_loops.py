"""Loops and repeated n-grams of texts, against a search by hand."""

import numpy as np
import pytest

from workflow_scripts.semstat.generation.loops import distinct, find_loops, repetition


def loops_by_hand(tokens):
    """(begin, period, end) of every stretch that is long enough and as long as it can be."""
    found = []
    for period in range(1, min(128, len(tokens) // 3) + 1):
        begin = 0
        while begin < len(tokens):
            end = min(begin + period, len(tokens))
            while end < len(tokens) and tokens[end] == tokens[end - period]:
                end += 1
            if end - begin >= max(3 * period, 48):
                found.append((begin, period, end))
            begin = max(end - period, begin) + 1
    return found


@pytest.mark.parametrize("alphabet", [1, 2, 3, 50])
def test_loops_are_those_found_by_hand(alphabet):
    rng = np.random.default_rng(alphabet)
    with_loops = 0
    for _ in range(60):
        parts = [rng.integers(alphabet, size=rng.integers(60))]
        for _ in range(rng.integers(3)):
            unit = rng.integers(alphabet, size=rng.integers(1, 140))
            copies = rng.uniform(1, 5) * max(1, 48 / len(unit) / 3)
            parts += [np.resize(unit, int(copies * len(unit)))]
            parts += [rng.integers(alphabet, size=rng.integers(60))][: rng.integers(2)]
        tokens = np.concatenate(parts)
        stretches, found = loops_by_hand(tokens.tolist()), find_loops(tokens)
        inside = np.zeros(len(tokens), dtype=bool)
        for begin, _, end in stretches:
            inside[begin:end] = True
        expected = min(stretches)[:2] if stretches else (None, None)
        assert (found.onset, found.period) == expected
        assert found.share == pytest.approx(inside.mean() if len(tokens) else 0)
        assert found.ends == bool(len(tokens) and inside[-1])
        with_loops += bool(stretches)
    assert with_loops > 10


def test_three_copies_and_48_tokens_are_needed():
    before, unit = list(range(100, 105)), list(range(16))
    assert find_loops(before + unit * 3) == (5, 16, True, pytest.approx(48 / 53))
    assert find_loops(before + unit * 3 + [7]) == (5, 16, False, pytest.approx(48 / 54))
    assert find_loops(before + unit * 2 + unit[:-1]).onset is None
    assert find_loops([1] * 47).onset is None and find_loops([]).share == 0
    long = list(range(128))
    assert find_loops(long * 3).period == 128
    assert find_loops(list(range(129)) * 4).onset is None


def test_rep_n_and_distinct_n_grams():
    assert repetition([1, 2, 3, 4, 5], 1) == 0
    assert repetition([1] * 10, 1) == pytest.approx(0.9)
    assert repetition([1, 2, 3, 4] * 3, 4) == pytest.approx(1 - 4 / 9)
    assert repetition([1, 2], 4) == 0
    rng = np.random.default_rng(0)
    texts = [rng.integers(3, size=size).tolist() for size in (40, 2, 17)]
    grams = [tuple(text[i : i + 3]) for text in texts for i in range(len(text) - 2)]
    assert distinct(texts, 3) == len(set(grams)) / len(grams)
    assert np.isnan(distinct([[1, 2]], 3))
