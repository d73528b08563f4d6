"""Draws of the next token, against the probabilities that they should have."""

import numpy as np
import pytest
import torch

from tests.generation.test_writing import drawn
from tests.tiny import VOCABULARY, tiny_model
from workflow_scripts.semstat.generation.sampling import Sampling, draw_uniform, next_tokens
from workflow_scripts.semstat.generation.writing import continue_texts
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader


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
