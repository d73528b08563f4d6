"""The guard on the energy against its definition, and in transformers' own generate."""

import itertools
import math

import numpy as np
import pytest
import torch
import transformers

from tests.decoding.methods import (
    FAMILIES,
    PROMPTS,
    STEPS,
    greedy,
    loaded,
    logits_of,
    processed,
    written,
)
from tests.tiny import VOCABULARY
from workflow_scripts.semstat.decoding.energy_guard import EnergyGuard, candidate_energy
from workflow_scripts.semstat.decoding.processed import Processed
from workflow_scripts.semstat.generation.sampling import Sampling, draw_uniform

GRID = [-1, -0.5, -0.01, -1e-9, 0, 1e-300, 1e-17, 0.001, 0.3, 0.9, 1]


def kept_by_definition(ids, logits, threshold, periods):
    """By a loop over the vocabulary, in numpy's float64."""
    logits = logits.double().numpy()
    weights = np.exp(logits - logits.max())
    p = weights / weights.sum()
    recent = ids[-periods:].tolist()
    repeating = max(p[token] for token in recent)
    kept = {c for c in range(len(p)) if p[c] - repeating >= threshold}
    others = [c for c in range(len(p)) if c not in recent and logits[c] > -math.inf]
    among = others or range(len(p))
    return kept or {max(among, key=lambda c: logits[c])}


def kept(ids, logits, threshold, periods):
    found = EnergyGuard(threshold, periods)(ids, logits)
    assert torch.equal(found[found > -torch.inf], logits[found > -torch.inf])
    return [set(row.nonzero()[:, 0].tolist()) for row in found > -torch.inf]


@pytest.mark.parametrize("spread", [0.3, 3.0, 30.0])
@pytest.mark.parametrize(
    ("vocabulary", "length"), [(1, 1), (1, 3), (2, 1), (2, 4), (50, 1), (50, 9)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_refused_is_what_the_definition_refuses(vocabulary, length, spread, dtype):
    generator = torch.Generator().manual_seed(vocabulary)
    logits = spread * torch.randn(20, vocabulary, generator=generator, dtype=dtype)
    ids = torch.randint(vocabulary, (20, length), generator=generator)
    for threshold in GRID:
        for periods in (1, 3, 16):
            found = kept(ids, logits, threshold, periods)
            for row, text, logit in zip(found, ids, logits, strict=True):
                assert row == kept_by_definition(text, logit, threshold, periods)


def test_equal_logits_have_an_energy_of_exactly_0():
    """Among many odd logits, two tokens alike and one that is next to them in float32."""
    logits = torch.randn(1, 5000, generator=torch.Generator().manual_seed(0)) * 5
    logits[0, 7] = logits[0, 4000]
    logits[0, 8] = torch.nextafter(logits[0, 7], torch.tensor(torch.inf))
    (energies,) = candidate_energy(torch.tensor([[7]]), logits)
    assert energies[7] == energies[4000] == 0 < energies[8] < 1e-6
    at_zero, above = (
        kept(torch.tensor([[7]]), logits, threshold, 1)[0] for threshold in (0, 1e-300)
    )
    assert {7, 8, 4000} <= at_zero
    assert 8 in above and not {7, 4000} & above


@pytest.mark.parametrize("periods", [1, 4])
@pytest.mark.parametrize("threshold", GRID)
def test_above_0_nothing_is_repeated_and_below_the_likeliest_repetition_always_may(
    threshold, periods
):
    generator = torch.Generator().manual_seed(1)
    for spread in (0.0, 1e-6, 1.0, 100.0):
        logits = (spread * torch.randn(200, 12, generator=generator)).round(decimals=1)
        ids = torch.randint(12, (200, 6), generator=generator)
        for found, text, logit in zip(
            kept(ids, logits, threshold, periods), ids, logits, strict=True
        ):
            recent = set(text[-periods:].tolist())
            likeliest = max(logit[token] for token in recent)
            assert found
            if threshold > 0:
                assert not recent & found
                others = [float(logit[c]) for c in range(12) if c not in recent]
                assert max(float(logit[c]) for c in found) == max(others)
            else:
                assert {token for token in recent if logit[token] == likeliest} <= found
                assert int(logit.argmax()) in found
            if threshold == -1:
                assert len(found) == 12


def test_a_higher_threshold_refuses_more():
    logits = 3 * torch.randn(50, 40, generator=torch.Generator().manual_seed(2))
    ids = torch.randint(40, (50, 5), generator=torch.Generator().manual_seed(3))
    for below, above in itertools.pairwise(GRID):
        pairs = zip(kept(ids, logits, above, 3), kept(ids, logits, below, 3), strict=True)
        assert all(fewer <= more or len(fewer) == 1 for fewer, more in pairs)
    for periods in (1, 2, 4):
        pairs = zip(
            kept(ids, logits, -0.1, periods + 1), kept(ids, logits, -0.1, periods), strict=True
        )
        assert all(fewer <= more for fewer, more in pairs)


def test_what_others_have_refused_stays_refused():
    logits = torch.tensor(
        [[2.0, -torch.inf, 1.0, -torch.inf], [-torch.inf, 1.0, -torch.inf, -torch.inf]]
    )
    ids = torch.tensor([[0], [1]])
    assert kept(ids, logits, 0.5, 1) == [{2}, {1}]
    assert kept(ids, logits, -1, 1) == [{0, 2}, {1}]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("threshold", "periods"), [(-0.05, 2), (0, 1), (0.001, 1), (0.2, 6), (1, 99)]
)
def test_generate_of_transformers_writes_what_the_method_writes(family, threshold, periods):
    layered = loaded(family)
    found = written(layered, processed(EnergyGuard(threshold, periods)))
    expected = layered.model.generate(
        PROMPTS,
        logits_processor=[EnergyGuard(threshold=threshold, periods=periods)],
        max_new_tokens=STEPS,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    assert torch.equal(found.token_xt, expected[:, PROMPTS.shape[1] :])
    plain = torch.equal(found.token_xt, written(layered, greedy()).token_xt)
    assert plain == (threshold <= 0) or threshold == 0.001, "a maximum is never cut off"


def test_generate_puts_it_before_the_sampling_temperature():
    layered, guard = loaded(scale=0.25), EnergyGuard(-0.01, 3)
    torch.manual_seed(0)
    found = layered.model.generate(
        PROMPTS,
        logits_processor=[guard],
        max_new_tokens=6,
        do_sample=True,
        temperature=0.5,
        top_k=0,
        top_p=1.0,
        eos_token_id=None,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_scores=True,
        output_logits=True,
    )
    otherwise = []
    for step, (scores, logits) in enumerate(zip(found.scores, found.logits, strict=True)):
        ids = found.sequences[:, : PROMPTS.shape[1] + step]
        torch.testing.assert_close(scores, guard(ids, logits) / 0.5)
        after = guard(ids, logits / 0.5)
        otherwise.append(not torch.equal(after > -torch.inf, scores > -torch.inf))
    assert any(otherwise), "after the warper it would have refused others"


@pytest.mark.parametrize("sampling_temperature", [0.5, 1.0])
def test_draws_are_those_of_what_is_left(sampling_temperature):
    """Token by token against the definition and a cumulative sum, without a cache."""
    layered = loaded(scale=0.25)
    uniform = torch.tensor(np.array([draw_uniform(0, doc, 10) for doc in range(5)]))
    for threshold in (-0.02, 0.01):
        method = Processed(sampling_temperature, uniform, EnergyGuard(threshold, 4))
        found = written(layered, method, steps=10).token_xt
        for prompt, tokens, numbers in zip(PROMPTS, found, uniform, strict=True):
            ids = prompt
            for token, u in zip(tokens, numbers, strict=True):
                logits = logits_of(layered, ids[None])[0, -1]
                allowed = sorted(kept_by_definition(ids, logits, threshold, 4))
                p = (logits[allowed].double() / sampling_temperature).softmax(-1).cumsum(0)
                assert int(token) == allowed[int((p <= u).sum())]
                ids = torch.cat([ids, token[None]])


def test_a_threshold_of_minus_1_is_plain_sampling():
    layered = loaded(scale=0.25)
    uniform = torch.tensor(np.array([draw_uniform(0, doc, STEPS) for doc in range(5)]))
    plain = written(layered, Sampling(0.8, uniform)).token_xt
    assert torch.equal(
        written(layered, Processed(0.8, uniform, EnergyGuard(-1, 16))).token_xt, plain
    )
    assert not torch.equal(
        written(layered, Processed(0.8, uniform, EnergyGuard(0, 16))).token_xt, plain
    )
    assert plain.max() < VOCABULARY


@pytest.mark.parametrize("threshold", [-1.001, 1.5, math.nan, math.inf, "0", None])
def test_a_threshold_that_is_no_difference_of_probabilities_is_refused(threshold):
    expected = rf"^threshold {threshold} is no difference of probabilities; set it from -1 to 1$"
    with pytest.raises(ValueError, match=expected):
        EnergyGuard(threshold)


@pytest.mark.parametrize("periods", [0, -3, 1.5, None])
def test_periods_that_are_no_number_of_tokens_are_refused(periods):
    with pytest.raises(
        ValueError, match=r"^periods .* is no number of tokens; set it to at least 1$"
    ):
        EnergyGuard(0.0, periods)


def test_it_is_a_processor_of_transformers():
    assert isinstance(EnergyGuard(0.0), transformers.LogitsProcessor)
