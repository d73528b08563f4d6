"""DRY against its definition, by loops over the text."""

import pytest
import torch

from tests.decoding.methods import PROMPTS, greedy, loaded, processed, written
from workflow_scripts.semstat.decoding.dry import MOST, dry, repeated_before


def repetition_that(ids, token):
    """Tokens at the end of a text that stand before an earlier copy of the token, too; at most."""
    longest = 0
    for t in range(len(ids)):
        n = 0
        while ids[t] == token and n < t and ids[t - 1 - n] == ids[-1 - n]:
            n += 1
        longest = max(longest, n)
    return longest


def test_logits_are_lowered_as_the_formula_says():
    generator = torch.Generator().manual_seed(0)
    for length in (1, 2, 5, 40):
        ids = torch.randint(0, 4, (6, length), generator=generator)
        ids[0] = 1
        logits = torch.randn(6, 8, generator=generator)
        for multiplier, base, allowed in [(0.8, 1.75, 2), (0.5, 1.1, 1), (2.0, 1.0, 3)]:
            found = dry(multiplier, base, allowed)(ids, logits)
            for row, before, after in zip(ids.tolist(), logits, found, strict=True):
                for token in range(8):
                    n = repetition_that(row, token)
                    lowered = multiplier * base ** (n - allowed) if n >= allowed else 0
                    assert after[token].item() == pytest.approx(
                        before[token].item() - lowered, rel=1e-5, abs=1e-5
                    )


def test_the_repetition_before_each_token_is_counted():
    ids = torch.tensor([[1, 2, 3, 1, 2, 4, 1, 2], [5, 5, 5, 5, 5, 5, 5, 5]])
    assert repeated_before(ids).tolist() == [[0, 0, 2, 0, 0, 2, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7]]


def test_a_long_loop_lowers_by_no_more_than_a_number():
    logits = torch.zeros(1, 8)
    found = dry(0.8, 1.75, 2)(torch.ones(1, 4000, dtype=torch.long), logits)
    assert found[0, 1] == pytest.approx(-MOST) and (found[0, [0, *range(2, 8)]] == 0).all()


def test_it_ends_loops():
    layered = loaded(scale=0.25)
    plain, found = written(layered, greedy()), written(layered, processed(dry(5.0, 2.0, 2)))
    repeated = [
        sum(
            repetition_that(ids[:t], ids[t]) >= 2
            for row in torch.cat([PROMPTS, texts.token_xt], dim=1).tolist()
            for ids in [row]
            for t in range(8, len(ids))
        )
        for texts in (plain, found)
    ]
    assert repeated[0] > 0 and repeated[1] == 0
