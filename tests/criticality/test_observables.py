"""Observables of texts: closed forms of independent tokens, brute force, and draws of prompts."""

import numpy as np
import pytest

from tests.criticality.written import chain_of, write
from workflow_scripts.semstat.criticality.observables import LEVEL, Written, observe
from workflow_scripts.semstat.criticality.tables import OBSERVED
from workflow_scripts.semstat.generation.loops import find_loops, repetition

LENGTHS = (64, 128)


def alike(prompts):
    return np.full((1, prompts), 1 / prompts)


def one(prompt, prompts):
    return np.eye(prompts)[[prompt]]


def numbers(observed, weight):
    return {name: value[0] for name, value in observed.under(weight).items()}


def test_all_observables_are_there():
    assert set(observe(write(chain_of("bigrams"), 1.0), [128])[0].under(alike(6))) == set(OBSERVED)


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.6])
def test_independent_tokens_have_their_closed_forms(temperature):
    chain = chain_of("frequencies")
    observed = observe(write(chain, temperature, prompts=12, runs=6, length=512), [512])[0]
    found = numbers(observed, alike(12))
    log_f = chain.log_frequency_v.double().numpy()
    p = np.exp(log_f / temperature)
    p /= p.sum()
    heat = (np.sum(p * log_f**2) - np.sum(p * log_f) ** 2) / temperature**2
    entropy = -np.sum(p * np.log(p))
    assert found["heat_capacity"] == pytest.approx(heat, rel=1e-3)
    assert found["fisher"] == pytest.approx(512 * heat / temperature**2, rel=1e-3)
    assert found["conditional"] == pytest.approx(entropy, rel=1e-4)
    assert found["marginal"] == pytest.approx(entropy, rel=1e-4)
    assert found["surprisal"] == pytest.approx(-np.sum(p * log_f), rel=0.05)
    assert found["autocorrelation_time"] == pytest.approx(1, abs=0.15)
    assert found["token_susceptibility"] == pytest.approx(
        (1 - np.sum(p**2)) * (1 + 1 / 66), rel=0.1
    )
    f = np.exp(log_f)
    variance = np.sum(p * f**2) - np.sum(p * f) ** 2
    # H = f(token) − f(last): the sum over a text is that of its first and its last token.
    assert found["energy"] == pytest.approx(0, abs=5 * np.sqrt(2 * variance) / 512)
    assert found["looping"] == found["near_looping"] == found["entering"] == 0
    assert np.isnan(found["leaving"])


def test_the_fisher_information_is_the_variance_of_the_score():
    """At 1 the score of a text is Σ (surprisal − entropy), a martingale: E score² = I."""
    written = write(chain_of("bigrams"), 1.0, prompts=40, runs=20, length=64)
    score = (written.number["surprisal"] - written.number["entropy"]).sum(axis=2)
    fisher = numbers(observe(written, [64])[0], alike(40))["fisher"]
    assert np.mean(score**2) == pytest.approx(fisher, rel=5 * np.sqrt(2 / score.size))
    assert abs(score.mean()) < 5 * np.sqrt(fisher / score.size)


def test_numbers_are_those_of_each_text_and_length():
    written = write(chain_of("bigrams", kinds=5), 0.2)
    for length, observed in zip(LENGTHS, observe(written, LENGTHS), strict=True):
        found = numbers(observed, alike(6))
        texts = written.token_drt[..., :length].reshape(24, length).tolist()
        loops = [find_loops(text) for text in texts]
        energy = written.number["energy"][..., :length].reshape(24, length)
        expected = {
            "looping": np.mean([loop.onset is not None for loop in loops]),
            "in_loops": np.mean([loop.share for loop in loops]),
            "rep_4": np.mean([repetition(text, 4) for text in texts]),
            "energy": energy.mean(),
            "below_zero": (energy < 0).mean(),
            "energy_susceptibility": length * energy.mean(axis=1).var(),
            "marginal": written.marginal_dt[:, :length].mean(),
        }
        m = energy.mean(axis=1) - energy.mean()
        expected["energy_binder"] = 1 - np.mean(m**4) / (3 * np.mean(m**2) ** 2)
        for name, value in expected.items():
            assert found[name] == pytest.approx(value), name
        assert 0 < found["looping"] < 1


def test_the_depth_is_the_energy_that_few_tokens_are_below():
    written = write(chain_of("bigrams", kinds=20), 1.0, prompts=6, runs=20, length=512)
    found = numbers(observe(written, [512])[0], alike(6))
    expected = np.quantile(written.number["energy"], LEVEL)
    assert found["depth"] == pytest.approx(expected, rel=0.15)


def test_a_draw_of_one_prompt_is_that_prompt():
    written = write(chain_of("bigrams", kinds=6), 0.7)
    observed = observe(written, [128])[0]
    for d in range(6):
        part = slice(d, d + 1)
        alone = Written(
            written.token_drt[part],
            {name: value[part] for name, value in written.number.items()},
            written.marginal_dt[part],
            written.sampling_temperature,
        )
        found = numbers(observed, one(d, 6))
        energy = alone.number["energy"].mean(axis=2)
        assert found["energy"] == pytest.approx(energy.mean())
        assert found["energy_susceptibility"] == pytest.approx(128 * energy.var())
        assert found["heat_capacity"] == pytest.approx(alone.number["logit_variance"].mean() / 0.49)


def test_at_0_what_is_divided_by_it_is_not_there():
    found = numbers(observe(write(chain_of("frequencies"), 0.0), [128])[0], alike(6))
    assert np.isnan([found["heat_capacity"], found["fisher"], found["autocorrelation_time"]]).all()
    assert found["looping"] == pytest.approx(1) and found["in_loops"] == pytest.approx(1)
    assert found["conditional"] == 0
