"""Decode equals each architecture's own logits, and every layer is the stream that it names."""

import copy
import dataclasses
import threading

import pytest
import torch
from torch import nn
from transformers import LlamaForCausalLM

from tests.tiny import FAMILIES, tiny_model
from workflow_scripts.semstat.models.architecture import ArchitectureError
from workflow_scripts.semstat.models.decoder import LayeredModel

IDS = torch.randint(1, 257, (2, 20), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=FAMILIES)
def layered(request):
    return LayeredModel(tiny_model(request.param))


@torch.inference_mode()
def test_decode_of_the_last_block_is_the_models_own_output(layered):
    last = layered.hidden_states(IDS, [layered.n_blocks])[layered.n_blocks]
    expected = layered.model(IDS).logits
    torch.testing.assert_close(layered.decoder.logits(last), expected, rtol=1e-6, atol=1e-6)


@torch.inference_mode()
def test_decode_in_bfloat16_rounds_only_once(layered):
    half = LayeredModel(copy.deepcopy(layered.model).bfloat16())
    last = half.hidden_states(IDS, [half.n_blocks])[half.n_blocks]
    expected = half.model(IDS).logits
    rounding = torch.finfo(torch.bfloat16).eps
    own = half.decoder.logits(last)
    torch.testing.assert_close(own, expected, rtol=rounding, atol=rounding)
    finer = half.decoder.in_float32().logits(last.float())
    assert finer.dtype == torch.float32
    assert (finer - expected).abs().max() <= 8 * rounding * expected.abs().max()


@torch.inference_mode()
def test_every_layer_is_transformers_own_hidden_state(layered):
    own = layered.model(IDS, output_hidden_states=True).hidden_states
    found = layered.hidden_states(IDS, range(layered.n_blocks + 1))
    assert sorted(found) == list(range(layered.n_blocks + 1))
    for layer in range(layered.n_blocks):
        torch.testing.assert_close(found[layer], own[layer], rtol=0, atol=0)
    # transformers' last entry is what its head is fed: the final norm has been applied.
    head_input = found[layered.n_blocks]
    for module in layered.decoder.tail:
        head_input = module(head_input)
    if head_input.shape == own[-1].shape:
        torch.testing.assert_close(head_input, own[-1])


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_threads_that_take_windows_of_their_own_find_the_same(layered, two_threads):
    layers = range(layered.n_blocks + 1)
    alone = [layered.hidden_states(row[None], layers) for row in IDS]
    both_are_there = threading.Barrier(2, timeout=60)

    def meet(*_):
        both_are_there.wait()

    with layered.blocks[0].register_forward_pre_hook(meet):
        shared = layered.hidden_states(IDS, layers)
    for layer in layers:
        torch.testing.assert_close(shared[layer], torch.cat([states[layer] for states in alone]))


def test_windows_that_threads_cannot_share_evenly_go_through_together(layered, two_threads):
    ids = torch.cat([IDS, IDS[:1]])
    passes = []
    with layered.blocks[0].register_forward_pre_hook(lambda *_: passes.append(1)):
        together = layered.hidden_states(ids, [1])[1]
    assert len(passes) == 1
    torch.testing.assert_close(together[:2], layered.hidden_states(IDS, [1])[1])


def test_layers_below_a_truncation_are_unchanged(layered):
    whole = layered.hidden_states(IDS, range(layered.n_blocks + 1))
    for deepest in range(layered.n_blocks):
        shallow = LayeredModel(copy.deepcopy(layered.model))
        shallow.truncate(deepest)
        assert len(shallow.blocks) == max(1, deepest)
        for layer, state in shallow.hidden_states(IDS, range(deepest + 1)).items():
            torch.testing.assert_close(state, whole[layer], rtol=0, atol=0)


def test_nothing_sees_what_comes_after_it(layered):
    """So windows of unequal length may be padded at the end."""
    layers = range(layered.n_blocks + 1)
    alone = layered.hidden_states(IDS, layers)
    padded = layered.hidden_states(torch.cat([IDS, IDS.flip(1)[:, :11]], dim=1), layers)
    for layer, state in alone.items():
        error = (padded[layer][:, : IDS.shape[1]] - state).abs().max()
        assert error <= 1e-5 * state.abs().max()


@pytest.mark.parametrize("family", ["Gemma 2", "Granite", "Cohere", "Phi", "GPT-2", "OPT"])
@torch.inference_mode()
def test_the_decode_of_the_tiny_models_is_more_than_a_product(family):
    """Otherwise the tests above would pass without norm, bias, scale and soft cap."""
    layered = LayeredModel(tiny_model(family))
    last = layered.hidden_states(IDS, [layered.n_blocks])[layered.n_blocks]
    expected = layered.model(IDS).logits
    decoder = layered.decoder
    bare = nn.functional.linear(last, decoder.unembedding.weight)
    assert (bare - expected).abs().max() > 0.3
    plain = dataclasses.replace(decoder, scale=1.0, soft_cap=None).logits(last)
    modified = decoder.scale != 1 or decoder.soft_cap is not None
    assert ((plain - expected).abs().max() > 0.3) == modified


def test_opt_350m_projects_and_has_no_final_norm():
    tail = LayeredModel(tiny_model("OPT, 350m")).decoder.tail
    assert [type(module) for module in tail] == [nn.Linear]


def test_hidden_states_leaves_no_hook_behind():
    layered = LayeredModel(tiny_model())
    with pytest.raises(IndexError):
        layered.hidden_states(torch.tensor([[10**6]]), [0, 1])
    layered.hidden_states(IDS, [0, 3])
    for module in layered.model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks


class Changed(LlamaForCausalLM):
    """Does to its logits what no configuration tells."""

    def forward(self, *args, **kwargs):
        output = super().forward(*args, **kwargs)
        output.logits = self.changed(output.logits)
        return output


class Louder(Changed):
    def changed(self, logits):
        return logits * 1.05


class Capped(Changed):
    def changed(self, logits):
        return 3 * torch.tanh(logits * 0.7 / 3)


class Shorter(Changed):
    def changed(self, logits):
        return logits[..., :200] / 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("kind", "scale", "soft_cap"),
    [(Louder, 1.05, None), (Capped, 0.7, 3.0), (Shorter, 1 / 3, None)],
)
def test_a_factor_and_a_cap_on_logits_are_read_off_the_model(kind, scale, soft_cap, dtype):
    model = kind(tiny_model().config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(20)
    decoder = LayeredModel(model.to(dtype)).decoder
    assert decoder.scale == pytest.approx(scale, rel=1e-12)
    assert decoder.soft_cap == soft_cap
    assert decoder.vocabulary == (200 if kind is Shorter else 257)


@pytest.mark.parametrize(("key", "family"), [("logit_scale", "Cohere"), ("", "Gemma 2")])
def test_what_is_read_off_is_the_number_of_the_configuration_to_the_bit(key, family):
    model = tiny_model(family)
    decoder = LayeredModel(model).decoder
    found = decoder.scale if key else decoder.soft_cap
    assert found == getattr(model.config, key or "final_logit_softcapping")
    assert LayeredModel(tiny_model("Granite")).decoder.scale == 1 / 7


class Odd(Changed):
    def changed(self, logits):
        return logits + 0.1 * logits.relu()


class Drifting(Changed):
    """Adds what no number put in its place shows."""

    def forward(self, *args, **kwargs):
        drift = self.lm_head.register_forward_pre_hook(lambda _, args: (args[0] + 1,))
        with drift:
            return LlamaForCausalLM.forward(self, *args, **kwargs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", [Odd, Drifting])
def test_a_decode_that_misses_the_models_logits_is_refused(kind, dtype):
    model = kind(tiny_model().config).eval().to(dtype)
    with pytest.raises(
        ArchitectureError, match=rf"^{kind.__name__}: .* teach workflow_scripts/semstat/models/arch"
    ):
        LayeredModel(model)


def test_the_list_of_blocks_is_the_one_that_text_goes_through():
    model = tiny_model()
    model.model.more = nn.ModuleList(nn.Identity() for _ in range(3))
    assert LayeredModel(model).blocks is model.model.layers


def test_a_model_without_one_list_of_blocks_is_refused():
    model = tiny_model()
    model.model.layers = nn.Sequential(*model.model.layers)
    with pytest.raises(
        ArchitectureError, match=r"^LlamaForCausalLM: of its lists of blocks \(none\) a text goes"
    ):
        LayeredModel(model)


def test_an_unembedding_that_is_not_linear_is_refused():
    model = tiny_model()
    model.lm_head = nn.Sequential(model.lm_head, nn.Tanh())
    with pytest.raises(ArchitectureError, match=r"^LlamaForCausalLM: no linear unembedding"):
        LayeredModel(model)


def test_a_model_whose_weights_are_damaged_is_refused():
    model = tiny_model()
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight[0, 0] = torch.nan
    with pytest.raises(ArchitectureError, match="own logits are NaN or infinite in "):
        LayeredModel(model)
