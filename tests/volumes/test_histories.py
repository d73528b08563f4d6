"""Inner states after real histories, against passes of the whole model in which they are put."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tiny import tiny_model
from tests.volumes.systems import trace
from workflow_scripts.semstat.models.architecture import ArchitectureError
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader
from workflow_scripts.semstat.volumes.decoded import DecodedEnergy
from workflow_scripts.semstat.volumes.directions import directions_with_norm
from workflow_scripts.semstat.volumes.entropy import entropy, of_repeats
from workflow_scripts.semstat.volumes.histories import Histories, replayed
from workflow_scripts.semstat.volumes.monte_carlo import count_draws

torch.set_num_threads(1)

TEXTS = [torch.tensor([0, 7, 30, 200, 41, 9, 100]), torch.tensor([0, 90, 4, 66])]
PAIRS = torch.tensor([[100, 12], [66, 5]])
HIDDEN = 32


def histories_of(family, layer, at_once=2):
    model = tiny_model(family)
    layered = LayeredModel(model)
    return model, layered.decoder, Histories.read(Reader(layered, layer), TEXTS, at_once)


def put_in(model, layer, text_t, state_n):
    """ln p after a text whose last state at a layer is another, by a pass without a cache."""
    block = LayeredModel(model).blocks[layer]

    def replace(_module, args, kwargs):
        q_btn = (args[0] if args else kwargs["hidden_states"]).clone()
        q_btn[0, -1] = state_n
        return ((q_btn, *args[1:]), kwargs) if args else (args, kwargs | {"hidden_states": q_btn})

    handle = block.register_forward_pre_hook(replace, with_kwargs=True)
    with torch.inference_mode():
        logits_v = model(text_t[None], use_cache=False).logits[0, -1]
    handle.remove()
    return logits_v.double().softmax(dim=0)


@pytest.mark.parametrize(
    ("family", "layer"),
    [("Llama", 0), ("Llama", 2), ("GPT-2", 1), ("Gemma 2", 1), ("Gemma 3", 2), ("Mistral", 1),
     ("Falcon", 1), ("Cohere", 1), ("GPT-NeoX", 1), ("Cohere 2", 1)],
)  # fmt: skip
def test_energies_are_those_of_the_model_with_another_state(family, layer):
    model, decoder, histories = histories_of(family, layer)
    decoded = replayed(directions_with_norm(histories.state_rn.norm(dim=1), HIDDEN), histories)
    x_sn = decoded.space.draw(7, torch.Generator().manual_seed(0))
    run_s = torch.tensor([1, 0, 1, 1, 0, 1, 0])
    found_s = DecodedEnergy(decoder, decoded, PAIRS)(x_sn, run_s)
    for x_n, run, found in zip(x_sn, run_s, found_s, strict=True):
        own_n = LayeredModel(model).hidden_states(TEXTS[run][None], [layer])[layer][0, -1]
        p_v = put_in(model, layer, TEXTS[run], own_n.norm() * x_n)
        last, correct = PAIRS[run]
        assert float(found) == pytest.approx(float(p_v[correct] - p_v[last]), abs=1e-5)


def test_volumes_after_a_history_are_those_that_counting_finds():
    _, decoder, histories = histories_of("Llama", 1, at_once=1000)
    decoded = replayed(directions_with_norm(histories.state_rn.norm(dim=1), HIDDEN), histories)
    energy_of = DecodedEnergy(decoder, decoded, PAIRS)

    def of_first(x_sn, run_s):
        return energy_of(x_sn, torch.zeros_like(run_s))

    generator = torch.Generator().manual_seed(0)
    x_sn = decoded.space.draw(2000, generator)
    energies = of_first(x_sn, torch.zeros(2000, dtype=torch.int64))
    energy_e = [float(energies.quantile(0.2)), float(energies.quantile(0.01))]
    counted = count_draws(decoded.space, of_first, energy_e, 20_000, generator)
    found = trace(
        decoded.space, of_first, 16, walkers=32, culled=16, moves=6, target=energy_e[-1]
    )  # fmt: skip
    mean = of_repeats(entropy(found, energy_e))
    z_e = (mean.value - counted.value[0]) / np.hypot(mean.stderr, counted.stderr[0])
    assert np.isfinite(z_e).all() and (abs(z_e) < 4).all()


def test_blocks_that_mix_states_are_refused(monkeypatch):
    reader = Reader(LayeredModel(tiny_model()), 1)
    replay = reader.replay

    def mixed(moment, state_xn):
        top_xn, cache = replay(moment, state_xn)
        return top_xn - top_xn.mean(dim=0), cache

    monkeypatch.setattr(reader, "replay", mixed)
    expected = r"above layer 1 .* when others are beside it, so it can't be sampled there after a h"
    with pytest.raises(ArchitectureError, match=expected):
        Histories.read(reader, TEXTS, 10)


def test_blocks_that_know_how_many_texts_there_are_are_refused():
    expected = "BloomForCausalLM: its own code .* so it can't be sampled there after a history"
    with pytest.raises(ArchitectureError, match=expected):
        histories_of("BLOOM", 2)
