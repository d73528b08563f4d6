"""The blocks above a layer, run again, are the model; and nothing that was read is altered."""

from contextlib import contextmanager

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.models.every_type import tiny_config
from tests.tiny import FAMILIES, VOCABULARY, tiny_model
from workflow_scripts.semstat.models import replay
from workflow_scripts.semstat.models.architecture import ArchitectureError
from workflow_scripts.semstat.models.caches import growing
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.in_place import in_place
from workflow_scripts.semstat.models.replay import Reader, repeat, select

IDS = torch.randint(1, VOCABULARY, (3, 12), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=FAMILIES)
def layered(request):
    return LayeredModel(tiny_model(request.param, scale=0.15).requires_grad_(False))


@pytest.mark.parametrize("length", [1, 12])
def test_a_moment_is_what_the_model_makes_of_the_whole_text(layered, length):
    ids = IDS[:, :length]
    with torch.no_grad():
        expected = layered.model(ids).logits[:, -1].log_softmax(-1)
    for layer in range(layered.n_blocks + 1):
        hidden = layered.hidden_states(ids, [layer, layered.n_blocks])
        reader = Reader(layered, layer)
        moment, past = reader.start(ids)
        torch.testing.assert_close(reader.log_p(moment.top_xn), expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(moment.state_xn, hidden[layer][:, -1], rtol=1e-4, atol=1e-4)
        tops = torch.cat([*past, moment.top_xn[:, None]], dim=1)
        torch.testing.assert_close(tops, hidden[layered.n_blocks], rtol=1e-4, atol=1e-4)


def test_another_state_in_the_cache_is_what_a_hook_on_the_block_would_have_put_there(layered):
    """A changed state, then two tokens more: against the whole text with the state replaced."""
    layer = 1
    reader = Reader(layered, layer)
    moment, _ = reader.start(IDS[:, :9])
    keys = [cached.keys.clone() for cached in moment.before.layers]
    shift = 0.3 * torch.randn(moment.state_xn.shape, generator=torch.Generator().manual_seed(1))
    steered = reader.with_state(moment, moment.state_xn + shift)
    following = reader.read(IDS[:, 9:10], steered.after)
    following = reader.read(IDS[:, 10:11], following.after)

    def replace(_module, _args, output):
        hidden = output[0] if isinstance(output, tuple) else output
        hidden = hidden.clone()
        hidden[:, 8] += shift
        return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

    handle = layered.blocks[layer - 1].register_forward_hook(replace)
    try:
        with torch.no_grad():
            expected = layered.model(IDS[:, :11], use_cache=False).logits.log_softmax(-1)
    finally:
        handle.remove()
    for found, at in [(steered, 8), (following, 10)]:
        log_p = reader.log_p(found.top_xn)
        torch.testing.assert_close(log_p, expected[:, at], rtol=1e-3, atol=1e-4)
    plain = reader.log_p(moment.top_xn)
    assert (plain - expected[:, 8]).abs().max() > 1e-3, "the change does something"
    for cached, before in zip(moment.before.layers, keys, strict=True):
        assert torch.equal(cached.keys, before), "what was read stays as it was"


def test_a_cache_can_be_repeated_and_selected_from():
    layered = LayeredModel(tiny_model().requires_grad_(False))
    reader = Reader(layered, layered.n_blocks)
    moment, _ = reader.start(IDS)
    tokens = torch.tensor([[5], [6], [7], [8], [9], [10]])
    read = reader.read(tokens, repeat(moment, 2))
    chosen = select(read, torch.tensor([1, 2, 5]))
    whole, _ = reader.start(torch.cat([IDS, tokens[[1, 2, 5]]], dim=1))
    torch.testing.assert_close(chosen.top_xn, whole.top_xn, rtol=1e-4, atol=1e-4)
    again = torch.tensor([[1], [2], [3]])
    torch.testing.assert_close(
        reader.read(again, chosen.after).top_xn,
        reader.read(again, whole.after).top_xn,
        rtol=1e-4,
        atol=1e-4,
    )


def test_a_layer_that_does_not_exist_is_refused():
    layered = LayeredModel(tiny_model())
    for layer in (-1, 4):
        with pytest.raises(ValueError, match=rf"^layer {layer} does not exist \(the model has la"):
            Reader(layered, layer)


def test_a_model_that_does_something_between_its_blocks_is_refused():
    layered = LayeredModel(tiny_model().requires_grad_(False))
    layered.blocks[2].register_forward_pre_hook(lambda _module, args: (args[0] * 1.01, *args[1:]))
    Reader(layered, 3)
    genuine, broken = layered.blocks[1], layered.blocks[1].forward
    calls = []

    def odd_then_even(*args, **kwargs):
        calls.append(None)
        output = broken(*args, **kwargs)
        return output * (1 + 0.01 * (len(calls) % 2))

    genuine.forward = odd_then_even
    with pytest.raises(ArchitectureError, match=r"^LlamaForCausalLM: running its blocks above la"):
        Reader(layered, 1)


RECURRENT = ["mamba", "mamba2", "falcon_mamba", "qwen3_next", "bamba", "jamba", "minimax", "lfm2"]


def of_type(model_type):
    model = AutoModelForCausalLM.from_config(tiny_config(model_type)).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        centre = 1.0 if parameter.dim() == 1 else 0.0
        parameter.copy_(centre + 0.2 * torch.randn(parameter.shape, generator=generator))
    return model


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_type", RECURRENT)
def test_recurrent_states_are_read_on_and_stay_as_they_were(model_type):
    layered = LayeredModel(of_type(model_type))
    reader = Reader(layered, 1)
    moment, _ = reader.start(IDS[:, :9])
    first = reader.read(IDS[:, 9:10], moment.after)
    reader.with_state(first, 2 * first.state_xn)
    again = reader.read(IDS[:, 9:10], moment.after)
    torch.testing.assert_close(again.top_xn, first.top_xn, rtol=0, atol=0)
    with torch.no_grad():
        expected = layered.model(IDS[:, :10], use_cache=False).logits[:, -1].log_softmax(-1)
    torch.testing.assert_close(reader.log_p(again.top_xn), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_type", ["mamba", "qwen3_next", "minimax"])
def test_a_recurrent_cache_can_be_repeated_and_selected_from(model_type):
    layered = LayeredModel(of_type(model_type))
    reader = Reader(layered, layered.n_blocks)
    moment, _ = reader.start(IDS)
    tokens = torch.tensor([[5], [6], [7], [8], [9], [10]])
    chosen = select(reader.read(tokens, repeat(moment, 2)), torch.tensor([1, 2, 5]))
    whole, _ = reader.start(torch.cat([IDS, tokens[[1, 2, 5]]], dim=1))
    again = torch.tensor([[1], [2], [3]])
    found, expected = (reader.read(again, each.after).top_xn for each in (chosen, whole))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_whose_cache_forgets_what_its_attention_sees_is_refused(dtype):
    """Moshi attends to the whole text, its cache holds a window of it."""
    layered = LayeredModel(of_type("moshi").to(dtype))
    with pytest.raises(
        ArchitectureError,
        match=r"^MoshiForCausalLM: read token by token through its cache, a text of 16 tokens has "
        r"states that differ from those of the whole by \S+ of their norm \(allowed: \S+\), so it "
        r"can neither write nor be steered; its energies can be measured$",
    ):
        Reader(layered, layered.n_blocks)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_type", ["rwkv", "recurrent_gemma", "openai-gpt"])
def test_a_model_without_a_cache_that_can_be_copied_is_refused(model_type):
    layered = LayeredModel(of_type(model_type))
    with pytest.raises(ArchitectureError, match=r"^\w+: transformers gives it no cache of keys, "):
        Reader(layered, layered.n_blocks)


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_passes_more_than_a_state_between_its_blocks_is_not_steered():
    layered = LayeredModel(of_type("zaya"))
    Reader(layered, layered.n_blocks)
    with pytest.raises(
        ArchitectureError,
        match=r"^ZayaForCausalLM: .*, so it cannot be steered there; ",
    ):
        Reader(layered, 1)


def test_texts_grow_on_a_gpu_without_plans_for_each_length():
    """The switches of attention's kernels are there without a GPU."""
    assert torch.backends.cuda.cudnn_sdp_enabled()
    with growing(torch.device("cuda")):
        assert not torch.backends.cuda.cudnn_sdp_enabled()
        assert torch.backends.cuda.flash_sdp_enabled()
        assert torch.backends.cuda.mem_efficient_sdp_enabled()
        assert torch.backends.cuda.math_sdp_enabled()
    assert torch.backends.cuda.cudnn_sdp_enabled()


def test_whatever_reads_on_through_a_cache_does_so_while_texts_grow(monkeypatch):
    seen = []

    @contextmanager
    def watched(device):
        seen.append(device.type)
        yield

    monkeypatch.setattr(replay, "growing", watched)
    layered = LayeredModel(tiny_model())
    reader = Reader(layered, layered.n_blocks)
    moment, _ = reader.start(torch.tensor([[1, 2, 3]]))
    seen.clear()
    moment = reader.read(torch.tensor([[4]]), moment.after)
    reader.read_in_place(torch.tensor([[5]]), [in_place(moment.after, torch.tensor([0]), 6)])
    assert seen == ["cpu", "cpu"]
