"""Recent tokens and repeated stretches, against loops over tokens."""

import pytest
import torch

from tests.training.windows import text
from workflow_scripts.semstat.training.recent import recent, repeated


@pytest.mark.parametrize("most", [1, 2, 5, 100, None])
def test_recent_tokens_are_those_that_a_loop_finds(most):
    batch = text(4, 20)
    found = recent(batch, most)
    for x in range(4):
        for t in range(20):
            window = batch.ids_xt[x].tolist()
            expected = set()
            for s in range(max(0, t - (most or 20) + 1), t + 1):
                if batch.text_xt[x, s] and window[s] != window[t + 1]:
                    expected.add(window[s])
            ours = found.ids_xtk[x, t][found.wrong_xtk[x, t]].tolist()
            assert sorted(ours) == sorted(expected)  # and so none is there twice


def test_the_newest_recent_token_is_the_last():
    batch = text()
    assert torch.equal(recent(batch, 3).ids_xtk[..., 0], batch.last_xt)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_repeated_stretches_are_those_that_a_search_finds(length):
    ids_xt = torch.randint(0, 3, (5, 40), generator=torch.Generator().manual_seed(2))
    expected_xt = torch.zeros_like(ids_xt, dtype=torch.bool)
    for x, window in enumerate(ids_xt.tolist()):
        seen = set()
        for t in range(length - 1, 40):
            stretch = tuple(window[t - length + 1 : t + 1])
            expected_xt[x, t] = stretch in seen
            seen.add(stretch)
    assert torch.equal(repeated(ids_xt, length), expected_xt)
    assert expected_xt.any()
    assert not expected_xt.all()


def test_a_stretch_may_overlap_its_repetition():
    assert repeated(torch.zeros(1, 6, dtype=torch.int64), 4).tolist() == [[False] * 4 + [True] * 2]


def test_nothing_is_repeated_in_a_short_window():
    assert not repeated(torch.zeros(1, 3, dtype=torch.int64), 4).any()
