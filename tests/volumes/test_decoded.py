"""Spaces of what a real, tiny model decodes: energies, measures, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tiny import tiny_model
from tests.volumes.systems import trace
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.volumes.axes import Moments
from workflow_scripts.semstat.volumes.decoded import DecodedEnergy, LikeliestEnergy
from workflow_scripts.semstat.volumes.directions import directions, without_mean
from workflow_scripts.semstat.volumes.entropy import entropy, of_repeats
from workflow_scripts.semstat.volumes.filled import directions_of
from workflow_scripts.semstat.volumes.like_states import like_states
from workflow_scripts.semstat.volumes.monte_carlo import count_draws
from workflow_scripts.semstat.volumes.pairs import draw_pairs

torch.set_num_threads(1)
HIDDEN = 32
PAIRS = torch.tensor([[5, 9], [70, 3], [200, 201]])


def decoder_of(family):
    return LayeredModel(tiny_model(family)).decoder.in_float32()


def text_states(hidden=HIDDEN, states=400):
    """Correlated, off centre."""
    generator = torch.Generator().manual_seed(3)
    mixed = torch.randn(hidden, hidden, generator=generator) / hidden**0.5
    return torch.randn(states, hidden, generator=generator) @ mixed + 0.5


def drawn(decoded, states):
    """States of a space, as its points stand for them."""
    q_sn = decoded.space.draw(states, torch.Generator().manual_seed(0))
    return decoded.state_of(q_sn, torch.zeros(states, dtype=torch.int64))


def like(state_sn, parts=3):
    """The Gaussian of states that come in parts."""
    moments = Moments(state_sn.shape[1], state_sn.device)
    for part_sn in state_sn.chunk(parts):
        moments.add(part_sn)
    return like_states(moments.axes(), state_sn.device)


@pytest.mark.parametrize("family", ["Llama", "GPT-2", "Gemma 2", "Cohere"])
def test_directions_are_all_that_the_decode_sees(family):
    decoder = decoder_of(family)
    found = directions(decoder, HIDDEN)
    space = found.space
    centred = family in ("GPT-2", "Cohere")
    assert space.dimensions == HIDDEN - centred
    x_sn = space.draw(50, torch.Generator().manual_seed(1))
    run_s = torch.arange(50) % 3
    q_sn = found.state_of(x_sn, run_s)
    assert torch.allclose(q_sn.norm(dim=1), torch.tensor(HIDDEN**0.5))
    if centred:
        assert abs(q_sn.mean(dim=1)).max() < 1e-6
    energy_of = DecodedEnergy(decoder, found, PAIRS)
    with torch.inference_mode():
        # Of a state with another norm, and mean where the decode is blind to that.
        other_sn = 3 * q_sn + (2.0 if centred else 0.0)
        p_sv = decoder.logits(other_sn).double().softmax(dim=1)
    last_s, correct_s = (p_sv.gather(1, PAIRS[run_s, part][:, None])[:, 0] for part in (0, 1))
    assert torch.allclose(energy_of(x_sn, run_s).double(), correct_s - last_s, atol=1e-5)


def test_without_mean_turns_and_does_not_stretch():
    x_sn = torch.randn(6, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y_sn = without_mean(x_sn)
    assert y_sn.shape == (6, 10) and torch.allclose(y_sn @ y_sn.T, x_sn @ x_sn.T)
    assert torch.allclose(y_sn.mean(dim=1), torch.zeros(6, dtype=torch.float64), atol=1e-12)


def test_a_decode_without_a_norm_has_no_sphere():
    with pytest.raises(ValueError, match=r"sphere: .* depends on the norm .*; take gaussian"):
        directions(decoder_of("OPT, 350m"), HIDDEN)


def test_a_gaussian_has_the_mean_and_the_covariance_of_the_states():
    state_sn = text_states()
    q_sn = drawn(like(state_sn), 200_000)
    spread = state_sn.std(dim=0).max()
    assert abs(q_sn.mean(dim=0) - state_sn.mean(dim=0)).max() < 0.02 * spread
    assert abs(torch.cov(q_sn.T) - torch.cov(state_sn.T)).max() < 0.03 * spread**2
    flat_sn = state_sn.clone()
    flat_sn[:, 3] = flat_sn[:, 4]
    flat = like(flat_sn)
    assert flat.space.dimensions == HIDDEN - 1
    q_sn = drawn(flat, 50)
    assert torch.allclose(q_sn[:, 3], q_sn[:, 4], atol=1e-4)


def test_too_few_states_for_a_covariance():
    with pytest.raises(ValueError, match=r"^32 states .* 32 dimensions; .* 33 states"):
        like(text_states()[:32])


@pytest.mark.parametrize("kind", ["sphere", "gaussian"])
def test_the_volumes_of_a_model_are_those_that_counting_finds(kind):
    decoder = decoder_of("Llama")
    found = directions(decoder, HIDDEN) if kind == "sphere" else like(text_states())
    repeats = 12
    energy_of = DecodedEnergy(decoder, found, PAIRS[:2].repeat_interleave(repeats, dim=0))
    one_of_each = DecodedEnergy(decoder, found, PAIRS[:2])
    generator = torch.Generator().manual_seed(0)
    q_sn = found.space.draw(2000, generator)
    energies = one_of_each(q_sn, torch.zeros(2000, dtype=torch.int64))
    target = float(energies.quantile(0.01))
    energy_e = [float(energies.quantile(0.2)), target]
    counted = count_draws(found.space, one_of_each, energy_e, 20_000, generator, runs=2)
    each = entropy(
        trace(
            found.space, energy_of, 2 * repeats, walkers=32, culled=16, moves=6, target=target,
            evaluations=20_000,
        ),
        energy_e,
    )  # fmt: skip
    for pair in range(2):
        mean = of_repeats(type(each)(*(part.reshape(2, repeats, 2)[pair] for part in each)))
        known = np.isfinite(mean.value) & np.isfinite(counted.value[pair])
        z_e = (mean.value - counted.value[pair]) / np.hypot(mean.stderr, counted.stderr[pair])
        assert known[0] and (abs(z_e[known]) < 4).all()
        assert pair or known.all()


@pytest.mark.parametrize("family", ["Llama", "Cohere"])
def test_the_likeliest_other_token_stands_for_the_correct_one(family):
    decoder = decoder_of(family)
    found = directions(decoder, HIDDEN)
    x_sn, run_s = found.space.draw(600, torch.Generator().manual_seed(1)), torch.arange(600) % 3
    p_sv = decoder.logits(found.state_of(x_sn, run_s)).detach().double().softmax(dim=1)
    last_s1 = PAIRS[run_s, :1]
    # Some of the states would repeat their last token.
    last_s1[:200, 0] = p_sv[:200].argmax(dim=1)
    pairs = torch.cat([last_s1, last_s1 + 1], dim=1)
    found_s = LikeliestEnergy(decoder, found, pairs)(x_sn, torch.arange(600)).double()
    expected_s = p_sv.scatter(1, last_s1, 0.0).amax(dim=1) - p_sv.gather(1, last_s1)[:, 0]
    assert torch.allclose(found_s, expected_s, atol=1e-5)
    assert (found_s[:200] < 0).all() and (found_s[200:] > 0).any()


def test_directions_that_walkers_fill():
    decoder = decoder_of("Llama")
    decoded = directions(decoder, HIDDEN)
    q_sn = decoded.space.draw(4000, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        x_sn = torch.nn.functional.normalize(
            decoder.normed(decoded.state_of(q_sn, torch.zeros(4000))), dim=1
        )
        rows = torch.nn.functional.normalize(decoder.unembedding.weight[PAIRS[0]], dim=1)
        order = (x_sn @ rows[0]).argsort(descending=True)
        aligned = q_sn[order[:2000]], q_sn[order[:1]].expand(2000, -1)
        found = directions_of(decoder, decoded, torch.stack(aligned), PAIRS[:1].expand(2, -1))
    aligned_last = float((x_sn @ rows[0])[order[:2000]].mean())
    assert found.aligned_last[0] == pytest.approx(aligned_last, abs=1e-6)
    assert found.aligned_correct[1] == pytest.approx(float((x_sn @ rows[1])[order[0]]), abs=1e-6)
    assert found.stable_rank[1] == pytest.approx(1) and 5 < found.stable_rank[0] < HIDDEN


def test_pairs_are_drawn_by_document():
    documents = [np.array([0, *text]) for text in ([1, 1, 2], [3, 4], [5, 5, 5], [6, 7, 7, 7], [8])]
    drawn = draw_pairs(documents, 3, seed=0)
    assert sorted(map(tuple, drawn.ids_r2.tolist())) == [(1, 2), (3, 4), (6, 7)]
    for document, position, pair in zip(*drawn, strict=True):
        assert (documents[document][position : position + 2] == pair).all() and position > 0
    fewer = draw_pairs(documents, 2, seed=0)
    for part, more in zip(fewer, drawn, strict=True):
        assert (part == more[:2]).all()
    with pytest.raises(ValueError, match=r"^4 pairs .* 3 have one; take at most 3"):
        draw_pairs(documents, 4, seed=0)
