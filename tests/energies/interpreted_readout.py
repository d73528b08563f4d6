"""The kernels of the fused readout against float64, in Triton's interpreter.

Run by test_fused_readout.py in a process of its own: Triton takes the interpreter only if told so
before it is imported.
"""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from workflow_scripts.semstat.energies import fused_readout
from workflow_scripts.semstat.energies.fused_readout import TOLERANCE, half_weights, reduce_logits
from workflow_scripts.semstat.energies.hamiltonian import energy
from workflow_scripts.semstat.energies.tiles import read_out_by_tiles
from workflow_scripts.semstat.models.decoder import Decoder

BLOCKS = {"BLOCK_S": 16, "BLOCK_V": 32, "BLOCK_N": 64}


def case(states, width, vocabulary, sharpness, dtype=torch.bfloat16, bias=False, seed=0):
    """States, an unembedding, last and correct tokens.

    Every fifth pair is of one token; every other correct token is the most probable one.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    unembedding = nn.Linear(width, vocabulary, bias=bias)
    with torch.no_grad():
        unembedding.weight.copy_(normal(vocabulary, width) * sharpness / width**0.5)
        if bias:
            unembedding.bias.copy_(normal(vocabulary))
    unembedding = unembedding.to(dtype).float()
    x_sn = normal(states, width)
    last_s, correct_s = torch.randint(vocabulary, (2, states), generator=generator)
    correct_s[1::2] = (x_sn @ unembedding.weight.T).argmax(-1)[1::2]
    correct_s[::5] = last_s[::5]
    return x_sn, unembedding.requires_grad_(False), last_s, correct_s


def exact(x_sn, unembedding, last_s, correct_s, scale=1.0, soft_cap=None):
    logits_sv = x_sn.double() @ unembedding.weight.double().T
    if unembedding.bias is not None:
        logits_sv += unembedding.bias.double()
    logits_sv *= scale
    if soft_cap is not None:
        logits_sv = soft_cap * torch.tanh(logits_sv / soft_cap)
    log_p_sv = logits_sv.log_softmax(-1)
    state_s = torch.arange(len(x_sn))
    log_p_s2 = log_p_sv[state_s[:, None], torch.stack([last_s, correct_s], 1)]
    h_s = log_p_s2[:, 1].exp() - log_p_s2[:, 0].exp()
    entropy_s = torch.special.entr(log_p_sv.exp()).sum(-1)
    return SimpleNamespace(log_p=log_p_s2, h=h_s, entropy=entropy_s, top=log_p_sv.argmax(-1))


def measured(x_sn, unembedding, last_s, correct_s, **options):
    weights = half_weights(unembedding)
    options = {"blocks": BLOCKS} | options
    last, correct, entropy_s, top_s = reduce_logits(x_sn, weights, last_s, correct_s, **options)
    log_p_s2 = torch.stack([last, correct], 1)
    h_s = energy(correct, last)
    return SimpleNamespace(log_p=log_p_s2, h=h_s, entropy=entropy_s, top=top_s)


def assert_equal(found, expected, within=2e-6, size=1.0):
    torch.testing.assert_close(found.log_p.double(), expected.log_p, rtol=1e-6, atol=within * size)
    torch.testing.assert_close(found.entropy.double(), expected.entropy, rtol=1e-6, atol=within * 4)
    torch.testing.assert_close(found.h.double(), expected.h, rtol=0, atol=within)
    assert torch.equal(found.top.long(), expected.top)


@pytest.mark.parametrize(
    ("states", "sharpness", "dtype"), [(17, 3, torch.float16), (3, 30, torch.bfloat16)]
)
def test_two_terms_are_float32(states, sharpness, dtype):
    """Neither states, tokens nor components are multiples of a tile."""
    given = case(states, 70, 161, sharpness, dtype)
    assert_equal(measured(*given, terms=2), exact(*given), within=4e-6, size=sharpness)


@pytest.mark.parametrize(
    ("bias", "scale", "soft_cap"),
    [(True, 1.0, None), (False, 0.3, None), (False, 1.0, 5.0), (True, -7.0, 30.0)],
)
def test_bias_scale_and_soft_cap(bias, scale, soft_cap):
    given = case(3, 64, 300, 2, bias=bias)
    options = {"scale": scale, "soft_cap": soft_cap}
    assert_equal(measured(*given, terms=2, **options), exact(*given, **options), within=4e-6)


def test_where_one_term_is_not_enough_two_are_taken(monkeypatch):
    monkeypatch.setattr(fused_readout, "TOLERANCE", 1e-4)
    given = case(16, 64, 300, 6, seed=1)
    expected = exact(*given)
    one, two, found = (measured(*given, terms=terms) for terms in (1, 2, 0))
    off_s, again_s = ((found.log_p - other.log_p).abs().amax(1) < 2e-6 for other in (one, two))
    assert (off_s | again_s).all() and off_s.any() and again_s.any()
    worst = (one.h - expected.h).abs().max()
    assert (found.h - expected.h).abs().max() < min(1e-4, worst)
    assert torch.equal(found.top.long(), expected.top)


def test_one_huge_logit_leaves_a_certain_distribution():
    x_sn, unembedding, last_s, correct_s = case(3, 64, 300, 1)
    with torch.no_grad():
        unembedding.weight[123] = (100 * x_sn[0]).bfloat16().float()
    last_s[0], correct_s[0], correct_s[1] = 123, 5, 123
    found = measured(x_sn, unembedding, last_s, correct_s, terms=2)
    expected = exact(x_sn, unembedding, last_s, correct_s)
    assert found.top[0] == 123 and found.entropy[0] == 0 and found.h[0] == -1
    torch.testing.assert_close(found.log_p.double(), expected.log_p, rtol=2e-6, atol=2e-4)
    assert (found.h - expected.h).abs().max() < 1e-4 and (found.entropy >= 0).all()


def test_of_equal_logits_the_first_token_is_the_top():
    x_sn, unembedding, last_s, correct_s = case(3, 64, 300, 3)
    with torch.no_grad():
        unembedding.weight[200:] = unembedding.weight[:100].clone()
    expected = exact(x_sn, unembedding, last_s, correct_s)
    assert_equal(measured(x_sn, unembedding, last_s, correct_s, terms=2), expected, within=4e-6)
    x_sn[:] = 0
    flat = measured(x_sn, unembedding, last_s, correct_s)
    assert (flat.top == 0).all() and (flat.h == 0).all()
    torch.testing.assert_close(flat.entropy, torch.full((3,), 300.0).log())


def test_energy_is_zero_just_where_the_correct_token_is_the_last():
    x_sn, unembedding, last_s, correct_s = case(7, 64, 300, 20)
    found = measured(x_sn, unembedding, last_s, correct_s)
    assert torch.equal(found.h == 0, last_s == correct_s)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, in the interpreter
@pytest.mark.parametrize("wrong", [torch.nan, -torch.inf])
def test_only_a_state_that_is_not_finite_is_read_out_as_such(wrong):
    x_sn, unembedding, last_s, correct_s = case(3, 64, 300, 3)
    whole = measured(x_sn, unembedding, last_s, correct_s)
    x_sn[1, 3] = wrong
    found = measured(x_sn, unembedding, last_s, correct_s)
    others = torch.arange(3) != 1
    assert not found.entropy[1].isfinite() and not found.h[1].isfinite()
    for name in ("log_p", "entropy", "h", "top"):
        assert torch.equal(getattr(found, name)[others], getattr(whole, name)[others])


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_states_of_any_size_keep_their_digits(size):
    x_sn, unembedding, last_s, correct_s = case(3, 64, 300, 3)
    given = (x_sn * size, unembedding, last_s, correct_s)
    options = {"scale": 1 / size}
    assert_equal(measured(*given, terms=2, **options), exact(*given, **options), within=4e-6)


def test_a_state_does_not_depend_on_the_others_nor_much_on_the_tiles():
    given = case(17, 64, 300, 10)
    whole = measured(*given)
    some = torch.tensor([16, 3, 12])
    part = measured(given[0][some], given[1], given[2][some], given[3][some])
    assert torch.equal(part.log_p, whole.log_p[some])
    other = measured(*given, blocks=BLOCKS | {"BLOCK_S": 32, "BLOCK_V": 16})
    torch.testing.assert_close(other.h, whole.h, rtol=0, atol=TOLERANCE)


def test_weights_that_float16_does_not_hold_are_not_taken():
    unembedding = case(1, 64, 300, 1, dtype=torch.float32)[1]
    assert half_weights(unembedding) is None
    small = case(1, 64, 300, 1e-6)[1]
    weights = half_weights(small)
    assert torch.equal(weights.weight_vn.float() * weights.unit, small.weight)


class Tiles:
    """The readout by tiles, counting its calls; one field is off by so much."""

    def __init__(self, name, error):
        self.name, self.error, self.calls = name, error, 0

    def __call__(self, *given):
        self.calls += 1
        readout = read_out_by_tiles(*given)
        return readout._replace(**{self.name: getattr(readout, self.name) + self.error})


@pytest.mark.parametrize(
    ("name", "error", "dtype", "fused", "warnings"),
    [
        ("energy", 0, torch.bfloat16, True, 0),
        ("energy", 2e-3, torch.bfloat16, False, 1),
        ("energy", 0, torch.float32, False, 0),
        ("entropy", 1e-2, torch.bfloat16, True, 0),  # as one term may leave it
        ("entropy", 3e-2, torch.bfloat16, False, 1),
        ("log_p_last", 1e-2, torch.bfloat16, True, 0),
        # Of unlikely tokens, so that H would not tell.
        ("log_p_last", 3e-2, torch.bfloat16, False, 1),
        ("log_p_correct", -3e-2, torch.bfloat16, False, 1),
    ],
)
def test_the_fused_readout_is_believed_once_it_agrees(
    name, error, dtype, fused, warnings, monkeypatch, caplog
):
    plain = fused_readout.reduce_logits
    monkeypatch.setattr(
        fused_readout,
        "reduce_logits",
        lambda *args, **options: plain(*args, blocks=BLOCKS, **options),
    )
    x_sn, unembedding, last_s, correct_s = case(4, 64, 300, 3, dtype)
    tiles, decoder = Tiles(name, error), Decoder((nn.Identity(),), unembedding)
    monkeypatch.setattr(fused_readout, "read_out_by_tiles", tiles)
    for _ in range(3):
        readout = fused_readout.read_out_fused(decoder, x_sn, last_s, correct_s)
        assert (readout is not None) == fused
    assert tiles.calls == (dtype != torch.float32) and len(caplog.records) == warnings
    if fused:
        expected = read_out_by_tiles(decoder, x_sn, last_s, correct_s)
        for one, other in zip(readout, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-3)
