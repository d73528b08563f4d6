"""Greedy decoding and the repetition penalty against transformers' own."""

import pytest
import torch

from tests.decoding.methods import FAMILIES, PROMPTS, loaded, logits_of, of_transformers, written
from workflow_scripts.semstat.decoding.greedy import greedy
from workflow_scripts.semstat.decoding.repetition_penalty import repetition_penalty


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_and_repetition_penalty_are_those_of_transformers(family):
    layered = loaded(family)
    found = written(layered, greedy())
    assert torch.equal(found.token_xt, of_transformers(layered))
    assert not found.steered_xt.any()
    penalised = written(layered, repetition_penalty(1.3))
    assert torch.equal(penalised.token_xt, of_transformers(layered, repetition_penalty=1.3))
    assert not torch.equal(penalised.token_xt, found.token_xt)


def test_what_is_recorded_is_what_the_whole_text_gives():
    layered = loaded()
    found = written(layered, greedy())
    ids = torch.cat([PROMPTS, found.token_xt], dim=1)
    log_p = logits_of(layered, ids[:, :-1])[:, PROMPTS.shape[1] - 1 :].log_softmax(-1)
    expected = -log_p.gather(-1, found.token_xt[..., None])[..., 0]
    torch.testing.assert_close(found.surprisal_xt, expected, rtol=1e-4, atol=1e-4)
    top = layered.hidden_states(ids[:, :-1], [layered.n_blocks])[layered.n_blocks]
    torch.testing.assert_close(found.top_xtn, top, rtol=1e-4, atol=1e-4)
