"""Steering away from stuttering, and blocking it, against a loop over the text."""

import pytest
import torch

from tests.decoding.methods import PROMPTS, STEPS, greedy, loaded, logits_of, processed, written
from tests.tiny import VOCABULARY
from workflow_scripts.semstat.decoding.steer_away import SteerAway
from workflow_scripts.semstat.decoding.stutter_block import stutter_block
from workflow_scripts.semstat.decoding.stuttering import stuttering
from workflow_scripts.semstat.generation.writing import begin
from workflow_scripts.semstat.models.replay import Reader


def stuttering_by_loop(ids, token, ngram):
    grams = [tuple(ids[i : i + ngram]) for i in range(len(ids) - ngram + 1)]
    return ids[-2:] == [token, token] or (*ids[1 - ngram :], token) in grams


def test_what_stutters_closes_an_ngram_or_is_third_in_a_row():
    ids = torch.tensor([[7, 1, 2, 3, 9, 1, 2, 3, 4, 1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 6, 6]])
    for ngram, expected in [(4, [{9, 4}, {6}]), (2, [{9, 4}, {6, 7}]), (13, [set(), {6}])]:
        found = stuttering(ids, 20, ngram)
        assert [set(row.nonzero()[:, 0].tolist()) for row in found] == expected


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_steering_leaves_no_stutter_and_does_not_change_a_text_before_the_first(layer):
    layered = loaded(scale=0.25)
    plain = written(layered, greedy())
    found = written(layered, SteerAway(3, 0.5, budget=10.0), layer)
    assert 0 < found.steered_xt.sum() < found.steered_xt.numel()
    rows = zip(PROMPTS, plain.token_xt, found.token_xt, found.steered_xt, strict=True)
    for prompt, unsteered, tokens, steered in rows:
        ids = prompt.tolist()
        first = int(steered.nonzero()[0]) if steered.any() else STEPS
        assert tokens[:first].tolist() == unsteered[:first].tolist()
        if steered.any():
            text = ids + unsteered[: first + 1].tolist()
            assert stuttering_by_loop(text[:-1], text[-1], 3), "greedy would have stuttered here"
        for token in tokens.tolist():
            assert not stuttering_by_loop(ids, token, 3)
            ids.append(token)


def test_steering_by_no_more_than_a_budget_may_leave_a_stutter():
    layered = loaded(scale=0.25)
    found = written(layered, SteerAway(3, 0.5, budget=1e-6), 1)
    assert torch.equal(found.token_xt, written(layered, greedy()).token_xt)


def test_steering_the_top_layer_writes_what_blocking_writes():
    """Nothing above the top layer remembers the change, so only the choice is another one."""
    layered = loaded(scale=0.25)
    blocked = written(layered, processed(stutter_block(3)))
    found = written(layered, SteerAway(3, 0.5, budget=10.0), layered.n_blocks)
    assert torch.equal(found.token_xt, blocked.token_xt)
    plain_xt = ~found.steered_xt
    surprisal_s = blocked.surprisal_xt[plain_xt]
    torch.testing.assert_close(found.surprisal_xt[plain_xt], surprisal_s, rtol=1e-4, atol=1e-4)
    below = written(layered, SteerAway(3, 0.5, budget=10.0), 1)
    if torch.equal(below.token_xt, blocked.token_xt):
        assert (below.surprisal_xt[plain_xt] - surprisal_s).abs().max() > 1e-2, "it is remembered"


def test_one_steered_choice_wins_by_the_margin():
    layered = loaded(scale=0.25)
    reader = Reader(layered, 1)
    loop = torch.tensor([[5, 6, 7, 5, 6]])
    logits = logits_of(layered, loop)[0, -1]
    twice = torch.cat([loop, logits.argmax()[None, None], loop], dim=1)
    choice = SteerAway(3, 0.8, budget=10.0)(reader, begin(reader, twice))
    stutters = stuttering(twice, VOCABULARY, 3)
    p = choice.logits_xv.softmax(-1)
    if choice.steered_x.item():
        odds = (p[stutters].sum() / p[~stutters].max()).log()
        assert odds <= -0.8 + 0.1 + 1e-3
