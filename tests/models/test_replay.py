"""The blocks above a layer, run again, are the model; and nothing that was read is altered."""

import pytest
import torch

from tests.tiny import FAMILIES, VOCABULARY, tiny_model
from workflow_scripts.semstat.models.architecture import ArchitectureError
from workflow_scripts.semstat.models.decoder import LayeredModel
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
