"""Beam search: transformers' own, to the last token, and against all texts that there are."""

import itertools

import pytest
import torch

from tests.decoding.methods import (
    PROMPTS,
    STEPS,
    greedy,
    loaded,
    logits_of,
    of_transformers,
    written,
)
from tests.tiny import tiny_model
from workflow_scripts.semstat.decoding.beams import search_beams
from workflow_scripts.semstat.models.decoder import LayeredModel


@pytest.mark.parametrize("family", ["Llama", "GPT-2"])
def test_beams_are_those_of_generate(family):
    layered = loaded(family)
    found = search_beams(layered, PROMPTS, STEPS, 3)
    assert torch.equal(found, of_transformers(layered, num_beams=3))
    assert found.shape == (len(PROMPTS), STEPS)


def test_a_token_that_would_end_a_text_does_not():
    layered = loaded()
    found = search_beams(layered, PROMPTS, STEPS, 2)
    ends = int(found[0, 3])
    own = layered.model.generation_config
    own.eos_token_id, own.max_length, own.length_penalty = ends, 10, -2.0
    assert torch.equal(search_beams(layered, PROMPTS, STEPS, 2), found)
    assert layered.model.generation_config is own, "what others asked of it is as it was"


def test_beams_enough_find_the_most_probable_text():
    layered = LayeredModel(tiny_model(scale=0.4).requires_grad_(False))
    found = search_beams(layered, PROMPTS[:1], 2, 257)[0].tolist()
    first = logits_of(layered, PROMPTS[:1])[0, -1].log_softmax(-1)
    after = torch.cat([PROMPTS[:1].expand(257, -1), torch.arange(257)[:, None]], dim=1)
    second = logits_of(layered, after)[:, -1].log_softmax(-1)
    best = max(
        itertools.product(range(257), repeat=2),
        key=lambda pair: float(first[pair[0]] + second[pair[0], pair[1]]),
    )
    assert found == list(best)


def test_it_is_more_probable_than_greedy_text():
    layered = loaded()

    def log_p(token_xt):
        ids = torch.cat([PROMPTS, token_xt], dim=1)
        of_all = logits_of(layered, ids[:, :-1])[:, PROMPTS.shape[1] - 1 :].log_softmax(-1)
        return of_all.gather(-1, token_xt[..., None]).sum()

    assert log_p(search_beams(layered, PROMPTS, STEPS, 8)) > log_p(
        written(layered, greedy()).token_xt
    )
