"""Generated tokens against the plainest sampling there is: all logits anew for every token."""

import numpy as np
import pytest
import torch

from tests.tiny import FAMILIES, VOCABULARY, tiny_model
from workflow_scripts.semstat.generation.writing import (
    Sampling,
    continue_texts,
    draw_uniform,
    next_tokens,
)
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader

STEPS = 20


def plain(model, prompt, sampling_temperature, uniform_s):
    """One document, token by token, without a cache and by a loop over the vocabulary."""
    ids = list(prompt)
    for u in uniform_s:
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
    uniform_bs = torch.tensor(np.array([draw_uniform(seed, doc, STEPS) for doc in docs]))
    layered = LayeredModel(model)
    reader = Reader(layered, layered.n_blocks)
    sampling = Sampling(sampling_temperature, uniform_bs)
    return continue_texts(reader, torch.tensor(prompts), STEPS, sampling).token_bs.tolist()


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


def test_tokens_come_as_often_as_they_are_probable():
    """Chi-square of 20,000 draws; and every number is used once, none twice."""
    logits = torch.randn(1, 40, generator=torch.Generator().manual_seed(0)) * 2
    uniform = torch.tensor(np.concatenate([draw_uniform(0, doc, 10) for doc in range(2000)]))
    assert len(uniform.unique()) == len(uniform)
    for sampling_temperature in (0.5, 1.0, 2.0):
        tokens = next_tokens(logits.expand(len(uniform), -1), sampling_temperature, uniform)
        p = (logits[0].double() / sampling_temperature).softmax(-1).numpy()
        expected = p * len(uniform)
        often = expected > 5
        found = np.bincount(tokens, minlength=40)
        chi_squared = np.sum((found - expected)[often] ** 2 / expected[often])
        assert abs(chi_squared - often.sum()) < 4 * np.sqrt(2 * often.sum())
        assert found[~often].sum() == pytest.approx(expected[~often].sum(), abs=15)


def test_the_edges_of_the_cumulative_probability():
    logits = torch.log(torch.tensor([[0.25, 0.5, 0.0, 0.25]]) + 1e-300).clamp(min=-1e30)
    below_one = np.nextafter(1.0, 0.0)
    for u, token in [(0.0, 0), (0.2499, 0), (0.2501, 1), (0.7499, 1), (0.7501, 3), (below_one, 3)]:
        assert next_tokens(logits, 1.0, torch.tensor([u])).tolist() == [token]
    assert next_tokens(logits, 1e-3, torch.tensor([below_one])).tolist() == [1]
    assert next_tokens(logits, 0, torch.tensor([0.0])).tolist() == [1]


def test_a_lower_sampling_temperature_is_more_sure():
    model = tiny_model()
    entropies = []
    for sampling_temperature in (0, 0.2, 1.0, 5.0):
        tokens = drawn(model, [[0]] * 40, sampling_temperature, docs=range(40))
        counts = np.bincount(np.ravel(tokens), minlength=VOCABULARY) / np.size(tokens)
        entropies.append(-np.sum(counts[counts > 0] * np.log(counts[counts > 0])))
    assert entropies == sorted(entropies) and entropies[-1] > entropies[0] + 1


def test_an_unsound_model_is_refused():
    layered = LayeredModel(tiny_model())
    reader = Reader(layered, layered.n_blocks)
    with torch.no_grad():
        layered.model.lm_head.weight[3] = torch.nan
    with pytest.raises(FloatingPointError, match="NaN or infinite logits"):
        continue_texts(reader, torch.tensor([[0]]), 1, Sampling(1.0, torch.zeros(1, 1)))
