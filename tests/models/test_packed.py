"""Products with packed weights are those of float32, and models with them are the same models."""

import pytest
import torch
from torch import nn

from tests.generation.plain_runs import tokens_of, written
from tests.tiny import FAMILIES, VOCABULARY, tiny_model
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.packed import PackedLinear, pack
from workflow_scripts.semstat.models.replay import Reader

IDS = torch.randint(1, VOCABULARY, (3, 12), generator=torch.Generator().manual_seed(0))


def random(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(1, 64), (7, 64), (30, 1, 64), (2, 5, 64), (300, 64)])
def test_a_product_is_that_of_float32(shape, bias):
    linear = nn.Linear(64, 500, bias=bias).requires_grad_(False)
    linear.weight.copy_(random(500, 64))
    x_sn = random(*shape)
    exact = x_sn.double() @ linear.weight.double().T
    pack(linear)
    assert isinstance(linear, PackedLinear)
    torch.testing.assert_close(linear.product(x_sn).double(), exact, rtol=1e-5, atol=1e-5)
    if bias:
        exact = exact + linear.bias.double()
    torch.testing.assert_close(linear(x_sn).double(), exact, rtol=1e-5, atol=1e-5)
    across = x_sn.transpose(0, -2).contiguous().transpose(0, -2)
    torch.testing.assert_close(linear(across), linear(x_sn), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_packed_model_is_the_same_model(family):
    model = tiny_model(family, scale=0.2).requires_grad_(False)
    expected = model(IDS).logits
    steps = written(model, [[0, 5, 9], [0, 6, 1]], range(3))
    pack(model)
    torch.testing.assert_close(model(IDS).logits, expected, rtol=1e-4, atol=1e-5)
    layered = LayeredModel(model)
    reader = Reader(layered, layered.n_blocks)
    found = reader.logits(reader.start(IDS)[0].top_xn)
    torch.testing.assert_close(found, expected[:, -1], rtol=1e-4, atol=1e-5)
    packed = written(model, [[0, 5, 9], [0, 6, 1]], range(3))
    assert torch.equal(tokens_of(packed), tokens_of(steps))


def test_what_cannot_be_packed_stays_as_it_is():
    training = nn.Linear(8, 8)
    half = nn.Linear(8, 8).requires_grad_(False).bfloat16()
    for linear in (training, half):
        pack(linear)
        assert type(linear) is nn.Linear
    twice = nn.Sequential(nn.Linear(8, 8).requires_grad_(False))
    pack(twice)
    packed = twice[0].packed
    pack(twice)
    assert twice[0].packed is packed and list(twice.state_dict()) == ["0.weight", "0.bias"]
