"""Which tokens would close a loop, and the energies that hold the correct one against them."""

from functools import partial

import numpy as np
import pytest
import torch

from tests.energies.test_measure import cut
from tests.tiny import BLOCKS, tiny_model
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.windows import Window
from workflow_scripts.semstat.periods.rivals import (
    NONE,
    period_of,
    recent_tokens,
    tokens_elsewhere,
)

LAYERS = [0, 1, BLOCKS]
PERIODS = 5


def history_by_hand(window, offset):
    """Tokens up to a position of a window, the last one first, without the prefix token."""
    first = 1 if window.start == 0 else 0
    found = [int(window.tokens_t[i]) for i in range(offset, first - 1, -1)][:PERIODS]
    return found + [NONE] * (PERIODS - len(found))


@pytest.mark.parametrize("stride", [6, 16])
def test_recent_tokens_are_those_of_the_window(stride):
    windows = list(cut(stride))
    expected = [
        history_by_hand(window, offset)
        for window in windows
        for offset in range(window.first, window.positions)
    ]
    assert recent_tokens(windows, PERIODS).tolist() == expected


def test_elsewhere_there_are_as_many_tokens_and_other_ones():
    rng = np.random.default_rng(0)
    windows = [
        Window(doc, start, rng.permutation(60)[:41].astype(np.int32), first)
        for doc, start, first in [(0, 0, 1), (0, 40, 0), (3, 20, 20)]
    ]
    own, other = recent_tokens(windows, PERIODS), tokens_elsewhere(windows, PERIODS, 7)
    np.testing.assert_array_equal(own == NONE, other == NONE)
    assert not ((own == other) & (own != NONE)).any(), "no token stands twice here"
    for row, window in zip((0, 39, 79), windows, strict=True):
        known = set(window.tokens_t[:-1].tolist()) | {NONE}
        assert set(other[row].tolist()) <= known
    np.testing.assert_array_equal(other, tokens_elsewhere(windows, PERIODS, 7))
    np.testing.assert_array_equal(other[39:79], tokens_elsewhere(windows[1:2], PERIODS, 7))
    assert (other != tokens_elsewhere(windows, PERIODS, 8)).any()


def test_a_short_window_has_something_elsewhere_too():
    window = Window(0, 0, np.array([0, 5, 6], dtype=np.int32), 1)
    assert tokens_elsewhere([window], PERIODS, 0).tolist() == [[5] + [NONE] * 4]


def measure(model, rivals=None):
    pieces = list(measure_windows(model, cut(), LAYERS, 48, rivals=rivals))
    return {
        layer: {
            name: np.concatenate([piece[layer][name] for piece in pieces])
            for name in pieces[0][layer]
        }
        for layer in LAYERS
    }


@pytest.fixture(scope="module")
def model():
    return LayeredModel(tiny_model(), 16)


def test_the_rival_is_the_likeliest_recent_token_that_is_not_correct(model):
    found = measure(model, partial(recent_tokens, longest_period=PERIODS))
    plain = measure(model)
    decoder = model.decoder.in_float32()
    row = 0
    for window in cut():
        ids = torch.tensor(window.tokens_t[None, :-1], dtype=torch.long)
        hidden = model.hidden_states(ids, LAYERS)
        for layer in LAYERS:
            log_p_tv = torch.log_softmax(decoder.logits(hidden[layer][0].float()).double(), dim=-1)
            for state, offset in enumerate(range(window.first, window.positions), start=row):
                correct = int(window.tokens_t[offset + 1])
                others = {t for t in history_by_hand(window, offset) if t not in (NONE, correct)}
                p_v = log_p_tv[offset].detach().exp()
                rival = max(others, key=lambda t: p_v[t].item()) if others else correct
                of = {name: column[state] for name, column in found[layer].items()}
                assert (of["last"], of["correct"]) == (rival, correct)
                expected = float(p_v[correct] - p_v[rival])
                assert of["energy"] == pytest.approx(expected, rel=1e-4, abs=1e-7)
        row += window.states
    for layer in LAYERS:
        for name, column in plain[layer].items():
            if name in ("last", "log_p_last", "energy"):
                continue
            np.testing.assert_array_equal(found[layer][name], column, err_msg=name)
        assert (found[layer]["energy"] <= plain[layer]["energy"])[
            plain[layer]["last"] != plain[layer]["correct"]
        ].all(), "the last token is one of the rivals"


def test_without_a_rival_the_energy_is_0(model):
    def correct(windows):
        return np.concatenate([w.tokens_t[w.first + 1 :, None].astype(np.int64) for w in windows])

    found = measure(model, correct)[BLOCKS]
    assert (found["energy"] == 0).all() and (found["last"] == found["correct"]).all()


def test_periods_are_the_least_that_fit():
    recent = np.array([[3, 4, 3], [4, NONE, NONE], [5, 6, 7]])
    assert period_of(np.array([3, 9, 7]), recent).tolist() == [1, 0, 3]
