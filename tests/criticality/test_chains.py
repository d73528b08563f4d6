"""Texts without a model: frequencies and bigrams, against their definitions and closed forms."""

import numpy as np
import pytest
import torch

from workflow_scripts.semstat.criticality.chains import Bigrams, Frequencies
from workflow_scripts.semstat.generation.methods.schedule import constant
from workflow_scripts.semstat.generation.runs import Runs, draw_uniform_runs, write_runs

DOCUMENTS = [np.array([5, 9, 5, 5, 7]), np.array([9, 5]), np.array([7, 7, 9, 9, 9])]


def zipf_documents(rng, kinds=40, tokens=4000):
    law = 1 / np.arange(1, kinds + 1)
    return [rng.choice(kinds, size=tokens // 4, p=law / law.sum()) for _ in range(4)]


def write(chain, temperature, prompts=3, runs=20, steps=100):
    uniform = np.array([draw_uniform_runs(0, d, range(runs), steps) for d in range(prompts)])
    prompt = torch.arange(prompts)[:, None]
    return write_runs(Runs(chain, prompt, torch.from_numpy(uniform), constant(temperature)))


def test_frequencies_are_those_of_all_documents():
    chain = Frequencies(DOCUMENTS)
    p = torch.softmax(chain.logits(torch.tensor([[0], [2]])), dim=-1)
    assert chain.token_v.tolist() == [5, 7, 9]
    np.testing.assert_allclose(p, [[4 / 12, 3 / 12, 5 / 12]] * 2, rtol=1e-6)


def test_bigrams_are_interpolated_as_witten_and_bell_have_it():
    chain = Bigrams(DOCUMENTS)
    pairs = [(5, 9), (9, 5), (5, 5), (5, 7), (9, 5), (7, 7), (7, 9), (9, 9), (9, 9)]
    frequency = {5: 4 / 12, 7: 3 / 12, 9: 5 / 12}
    expected = []
    for last in (5, 7, 9):
        after = [b for a, b in pairs if a == last]
        kinds = len(set(after))
        expected.append(
            [(after.count(v) + kinds * frequency[v]) / (len(after) + kinds) for v in (5, 7, 9)]
        )
    np.testing.assert_allclose(np.sum(expected, axis=1), 1)
    p = torch.softmax(chain.logits(torch.tensor([[0], [1], [2]])), dim=-1)
    np.testing.assert_allclose(p, expected, rtol=1e-6)
    logits = chain.logits(torch.tensor([[1]]))
    np.testing.assert_allclose(logits.exp().sum(), 1, rtol=1e-6)


def test_a_token_that_nothing_followed_is_followed_by_frequencies():
    chain = Bigrams([np.array([1, 2, 3])])
    np.testing.assert_allclose(chain.logits(torch.tensor([[2]])).exp(), [[1 / 3] * 3], rtol=1e-6)


def test_tokens_by_place_and_none_that_is_unknown():
    chain = Frequencies(DOCUMENTS)
    assert chain.places(np.array([[9], [5]])).tolist() == [[2], [0]]
    for unknown in (4, 6, 10):
        with pytest.raises(ValueError, match="documents counted"):
            chain.places(np.array([unknown]))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_frequencies_written_by_the_engine_have_their_closed_form(temperature):
    """Entropy, and the variance of z, are the same at every token; tokens are as frequent."""
    chain = Frequencies(zipf_documents(np.random.default_rng(0)))
    steps = write(chain, temperature)
    log_f = chain.log_frequency_v.double().numpy()
    p = np.exp(log_f / temperature)
    p /= p.sum()
    entropy = -np.sum(p * np.log(p))
    variance = np.sum(p * log_f**2) - np.sum(p * log_f) ** 2
    np.testing.assert_allclose(torch.stack([step.entropy for step in steps]), entropy, rtol=1e-5)
    of_steps = torch.stack([step.logit_variance for step in steps])
    np.testing.assert_allclose(of_steps, variance, rtol=1e-4)
    np.testing.assert_allclose(steps[7].marginal.entropy_d, [entropy] * 3, rtol=1e-5)
    tokens = torch.stack([step.token for step in steps]).flatten()
    share = np.bincount(tokens, minlength=len(p)) / len(tokens)
    assert np.all(np.abs(share - p) < 5 * np.sqrt(p * (1 - p) / len(tokens)) + 1e-12)


def test_bigrams_written_by_the_engine_follow_their_matrix():
    chain = Bigrams(zipf_documents(np.random.default_rng(1), kinds=6))
    tokens = torch.stack([step.token for step in write(chain, 1.0, runs=60, steps=200)])
    pairs = np.zeros((6, 6))
    np.add.at(pairs, (tokens[:-1].flatten(), tokens[1:].flatten()), 1)
    p = chain.logits(torch.arange(6)[:, None]).exp().double().numpy()
    error = np.sqrt(p * (1 - p) / pairs.sum(axis=1, keepdims=True))
    assert np.all(np.abs(pairs / pairs.sum(axis=1, keepdims=True) - p) < 5 * error)


def test_at_0_the_most_frequent_token_follows():
    chain = Frequencies(DOCUMENTS)
    assert torch.stack([step.token for step in write(chain, 0.0, steps=5)]).unique().tolist() == [2]
