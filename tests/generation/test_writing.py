"""Generated tokens against the plainest sampling there is: all logits anew for every token."""

import numpy as np
import pytest
import torch

from tests.tiny import FAMILIES, tiny_model
from workflow_scripts.semstat.generation.sampling import Sampling, draw_uniform
from workflow_scripts.semstat.generation.writing import continue_texts
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader

STEPS = 20


def plain(model, prompt, sampling_temperature, uniform_t):
    """One document, token by token, without a cache and by a loop over the vocabulary."""
    ids = list(prompt)
    for u in uniform_t:
        with torch.inference_mode():
            logits = model(torch.tensor([ids])).logits[0, -1].double().numpy()
        if sampling_temperature == 0:
            ids.append(int(logits.argmax()))
            continue
        weights = np.exp((logits - logits.max()) / sampling_temperature)
        cumulative = np.cumsum(weights / weights.sum())
        ids.append(int(np.argmax(cumulative > u)))
    return ids[len(prompt) :]


def drawn(model, prompts, sampling_temperature, docs, seed=0):
    uniform_xt = torch.tensor(np.array([draw_uniform(seed, doc, STEPS) for doc in docs]))
    layered = LayeredModel(model)
    reader = Reader(layered, layered.n_blocks)
    sampling = Sampling(sampling_temperature, uniform_xt)
    return continue_texts(reader, torch.tensor(prompts), STEPS, sampling).token_xt.tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_cache_changes_nothing(family):
    model = tiny_model(family)
    prompts = [[0, 5, 9, 200, 3], [0, 6, 1, 8, 8]]
    found = drawn(model, prompts, 0.7, docs=[3, 4])
    for doc, prompt, tokens in zip([3, 4], prompts, found, strict=True):
        assert tokens == plain(model, prompt, 0.7, draw_uniform(0, doc, STEPS))


@pytest.mark.parametrize("sampling_temperature", [0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("prompt", [[0], [0, 17]])
def test_from_the_prefix_token_alone_and_at_any_sampling_temperature(prompt, sampling_temperature):
    model = tiny_model(scale=0.1)
    (found,) = drawn(model, [prompt], sampling_temperature, docs=[0])
    assert found == plain(model, prompt, sampling_temperature, draw_uniform(0, 0, STEPS))
    assert len(found) == STEPS


def test_a_document_does_not_depend_on_its_batch():
    model = tiny_model(scale=0.1)
    prompts = [[0, doc] for doc in range(12)]
    together = drawn(model, prompts, 1.0, docs=range(12))
    backwards = drawn(model, prompts[::-1], 1.0, docs=range(12)[::-1])
    assert together == backwards[::-1]
    assert together == [drawn(model, [prompts[doc]], 1.0, docs=[doc])[0] for doc in range(12)]
    assert together != drawn(model, prompts, 1.0, docs=range(12), seed=1)
