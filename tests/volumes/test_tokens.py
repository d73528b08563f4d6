"""The space of input tokens against exact enumeration, and its guide against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tiny import VOCABULARY, tiny_model
from tests.volumes.systems import trace
from tests.volumes.test_nested_sampling import is_standard_normal
from workflow_scripts.semstat.models.architecture import ArchitectureError
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader
from workflow_scripts.semstat.volumes.decoded import DecodedEnergy
from workflow_scripts.semstat.volumes.entropy import entropy
from workflow_scripts.semstat.volumes.last_tokens import LastTokens
from workflow_scripts.semstat.volumes.read_tokens import ReadTokens

torch.set_num_threads(1)

TEXTS = [torch.tensor([0, 7, 30, 200, 41, 9, 100]), torch.tensor([0, 90, 4, 4, 66])]
PAIRS = torch.tensor([[100, 12], [66, 5]])


class Noise:
    """A guide that knows nothing, and is not shy of saying it."""

    def __init__(self, vocabulary, tokens):
        shape = (tokens, vocabulary)
        self.weight_nv = 3 * torch.randn(shape, generator=torch.Generator().manual_seed(1))

    def look(self, ids_sn, _run_s):
        return ids_sn.float()

    def log_weight(self, seen_sm, site_s):
        # Of where it is too, so that proposals there and back differ.
        return self.weight_nv[site_s] * (1 + seen_sm.sum(dim=1, keepdim=True) % 3)


@pytest.mark.parametrize("is_guided", [False, True])
def test_all_texts_of_two_tokens(is_guided):
    """A table of energies, some of which are alike: volumes are counts, and proposals any."""
    vocabulary = 60
    table_vv = torch.randn(
        vocabulary, vocabulary, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    table_vv = (2 * table_vv).round() / 2 + torch.where(table_vv > 0, table_vv, 0.0)
    space = LastTokens(vocabulary, 2, Noise(vocabulary, 2) if is_guided else None)
    energy_e = np.array([-0.5, -1.5, -2.5])
    found = trace(
        space, lambda ids_sn, _run_s: table_vv[ids_sn[:, 0], ids_sn[:, 1]], 64,
        walkers=32, culled=8, moves=40, target=-2.5,
    )  # fmt: skip
    each = entropy(found, energy_e)
    exact_e = np.log([(table_vv <= energy).double().mean().item() for energy in energy_e])
    for z_r in ((each.value - exact_e) / each.stderr).T:
        is_standard_normal(z_r)


def read_tokens(model, tokens):
    reader, ordinary_v = Reader(LayeredModel(model), 3), torch.arange(1, VOCABULARY)
    return ReadTokens.begin(reader, TEXTS, PAIRS[:, 1], ordinary_v, tokens, at_once=100)


class OfOneText:
    """A guide of many runs of the first text, which is read for all of them at once."""

    def __init__(self, read):
        self.read, self.log_weight = read, read.log_weight

    def look(self, ids_sn, run_s):
        return self.read.look(ids_sn, torch.zeros_like(run_s))


def of_one_text(read, model):
    """The space and the energy of many runs of the first text."""
    decoded = read.decoded()
    energy_of = DecodedEnergy(LayeredModel(model).decoder, decoded, PAIRS)
    space = LastTokens(decoded.space.vocabulary, decoded.space.tokens, OfOneText(read))
    return space, lambda ids_sn, run_s: energy_of(ids_sn, torch.zeros_like(run_s))


def plain_energies(model, ids_st, correct):
    """By one pass through the model, without a cache."""
    with torch.inference_mode():
        p_sv = model(ids_st).logits[:, -1].double().softmax(dim=1)
    return p_sv[:, correct] - p_sv.gather(1, ids_st[:, -1:])[:, 0]


@pytest.mark.parametrize("family", ["Llama", "GPT-2", "Gemma 3", "Mistral"])
def test_every_last_token(family):
    """Exact enumeration: energies of all tokens of language, and what sampling finds."""
    model = tiny_model(family)
    decoded = read_tokens(model, 1).decoded()
    energy_of = DecodedEnergy(LayeredModel(model).decoder, decoded, PAIRS)
    every = torch.arange(VOCABULARY - 1)[:, None]
    for run, text_t in enumerate(TEXTS):
        ids_st = torch.cat([text_t[:-1].expand(len(every), -1), every + 1], dim=1)
        expected_s = plain_energies(model, ids_st, PAIRS[run, 1])
        found_s = energy_of(every, torch.full((len(every),), run))
        assert torch.allclose(found_s.double(), expected_s, atol=1e-5)
    if family != "Llama":
        return
    exact = energy_of(every, torch.zeros(len(every), dtype=torch.int64)).double().sort().values
    energy_e = ((exact[[128, 40, 20]] + exact[[129, 41, 21]]) / 2).numpy()
    found = trace(*of_one_text(read_tokens(model, 1), model), 48, walkers=32, culled=8, moves=8,
                  target=energy_e[-1])  # fmt: skip
    each = entropy(found, energy_e)
    exact_e = np.log(np.array([129, 41, 21]) / len(every))
    for z_r in ((each.value - exact_e) / each.stderr).T:
        is_standard_normal(z_r)


def test_two_tokens_after_a_history():
    """Sixty-five thousand endings of one text, each of which the model has read."""
    model = tiny_model(scale=0.1)
    tokens_v = torch.arange(1, VOCABULARY)
    exact = torch.cat(
        [
            plain_energies(
                model,
                torch.cat(
                    [TEXTS[0][:-2].expand(256, -1), first.expand(256, 1), tokens_v[:, None]], dim=1
                ),
                PAIRS[0, 1],
            )
            for first in tokens_v[:, None]
        ]
    )
    target = exact.quantile(0.01).item()
    found = trace(
        *of_one_text(read_tokens(model, 2), model), 48, walkers=32, culled=16, moves=8,
        target=target,
    )  # fmt: skip
    each = entropy(found, [target])
    z_r = (each.value[:, 0] - np.log((exact <= target).double().mean().item())) / each.stderr[:, 0]
    is_standard_normal(z_r)


@pytest.mark.parametrize("family", ["Llama", "Llama, tied", "Gemma 3", "GPT-2"])
def test_a_guide_knows_slopes_and_what_would_be_said(family):
    model, tokens = tiny_model(family).double(), 3
    read = read_tokens(model, tokens)
    ids_sn, run_s = torch.tensor([[4, 9, 70], [200, 1, 1], [3, 3, 3]]), torch.tensor([1, 0, 1])
    seen_sm = read.look(ids_sn, run_s)
    embed = model.get_input_embeddings()
    for site in range(tokens):
        found_sv = read.log_weight(seen_sm, torch.full((3,), site)).double()
        for at, run in enumerate(run_s):
            ids_t = torch.cat([TEXTS[run][:-tokens], ids_sn[at] + 1])

            def log_p_last(token, step, ids_t=ids_t, site=site):
                """ln p of the last token, its embedding at a site moved towards another's."""

                def move(_module, _args, output):
                    towards = embed.forward(token) - output[:, -tokens + site]
                    output = output.clone()
                    output[:, -tokens + site] += step * towards
                    return output

                handle = embed.register_forward_hook(move)
                with torch.no_grad():
                    logits_v = model(ids_t[None]).logits[0, -1]
                handle.remove()
                return logits_v.log_softmax(dim=0)

            first, second = torch.tensor([30]), torch.tensor([150])
            gains = []
            for token in (first, second):
                up_v, down_v = log_p_last(token, 3e-3), log_p_last(token, -3e-3)
                gain = (up_v - down_v)[ids_t[-1]] / 6e-3
                if site == tokens - 1:
                    gain = gain + log_p_last(token, 0.0)[token[0]]
                gains.append(float(gain))
            difference = found_sv[at, second - 1] - found_sv[at, first - 1]
            assert float(difference) == pytest.approx(gains[1] - gains[0], rel=3e-3, abs=1e-3)


def test_a_guide_makes_proposals_that_are_taken():
    """Down a well more last tokens that it proposes are allowed than of those by chance."""
    model = tiny_model(scale=0.2)
    read = read_tokens(model, 2)
    energy_of = DecodedEnergy(LayeredModel(model).decoder, read.decoded(), PAIRS)
    generator = torch.Generator().manual_seed(0)
    ids_sn = torch.randint(VOCABULARY - 1, (4000, 2), generator=generator)
    run_s = torch.zeros(4000, dtype=torch.int64)
    energy_s = energy_of(ids_sn, run_s)
    low = energy_s.topk(40, largest=False)
    limit, site_s = low.values.max(), torch.full((40,), 1)
    weight_sv = read.log_weight(read.look(ids_sn[low.indices], run_s[:40]), site_s)
    share = []
    for p_sv in (weight_sv.softmax(dim=1), torch.full_like(weight_sv, 1 / 256)):
        other_sn = ids_sn[low.indices].repeat_interleave(50, dim=0)
        drawn = torch.multinomial(p_sv, 50, replacement=True, generator=generator).flatten()
        other_sn[torch.arange(2000), site_s.repeat_interleave(50)] = drawn
        share.append((energy_of(other_sn, run_s[:2000]) <= limit).double().mean().item())
    assert share[0] > 5 * share[1]


def test_a_model_that_embeds_twice_is_refused(monkeypatch):
    model = tiny_model()
    read = read_tokens(model, 1)
    embed = model.get_input_embeddings()
    forward = model.base_model.forward
    monkeypatch.setattr(
        model.base_model, "forward", lambda ids, **more: (embed(ids), forward(ids, **more))[1]
    )
    with pytest.raises(ArchitectureError, match="embeds its tokens 2 times"):
        read.look(torch.tensor([[4]]), torch.tensor([0]))
