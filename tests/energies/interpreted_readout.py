"""The kernels of readout and speeds against float64 and torch: interpreted, or on a GPU.

Run by test_fused_readout.py in a process of its own: Triton takes the interpreter only if told so
before it is imported.
"""

import copy
import os
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from workflow_scripts.semstat.energies import fused_readout, speeds
from workflow_scripts.semstat.energies.fused_readout import TOLERANCE, half_weights, reduce_logits
from workflow_scripts.semstat.energies.tiles import StateReadout, read_out_by_tiles
from workflow_scripts.semstat.models.decoder import Decoder

DEVICE, BLOCKS = "cuda", {"BLOCK_S": 128, "BLOCK_V": 256, "BLOCK_N": 64, "num_warps": 8}
if os.environ.get("TRITON_INTERPRET") == "1":
    DEVICE, BLOCKS = "cpu", {"BLOCK_S": 16, "BLOCK_V": 32, "BLOCK_N": 64}


def case(states, width, vocabulary, sharpness, dtype=torch.bfloat16, bias=False, seed=0, wanted=2):
    """States, an unembedding, and tokens asked for, the last and the correct one first.

    Every fifth pair is of one token; every other correct token is the most probable one. Of further
    tokens one is the last again, one the correct, and three are the most probable ones.
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
    wanted_sm = torch.randint(vocabulary, (wanted, states), generator=generator).T.contiguous()
    highest_s3 = (x_sn @ unembedding.weight.T).topk(3).indices
    wanted_sm[1::2, 1] = highest_s3[1::2, 0]
    wanted_sm[::5, 1] = wanted_sm[::5, 0]
    if wanted > 8:
        wanted_sm[:, 4:6], wanted_sm[:, -3:] = wanted_sm[:, :2], highest_s3
    return x_sn, unembedding.requires_grad_(False), wanted_sm


def exact(x_sn, unembedding, wanted_sm, scale=1.0, soft_cap=None):
    logits_sv = x_sn.double() @ unembedding.weight.double().T
    if unembedding.bias is not None:
        logits_sv += unembedding.bias.double()
    logits_sv *= scale
    if soft_cap is not None:
        logits_sv = soft_cap * torch.tanh(logits_sv / soft_cap)
    log_p_sv = logits_sv.log_softmax(-1)
    log_p_sm = log_p_sv.gather(1, wanted_sm)
    h_s = log_p_sm[:, 1].exp() - log_p_sm[:, 0].exp()
    entropy_s = torch.special.entr(log_p_sv.exp()).sum(-1)
    log_p_top_s, top_s = log_p_sv.max(-1)
    return SimpleNamespace(
        log_p=log_p_sm, energy=h_s, entropy=entropy_s, top=top_s, log_p_top=log_p_top_s
    )


def measured(x_sn, unembedding, wanted_sm, **options):
    options = {"blocks": BLOCKS} | options
    weights = half_weights(copy.deepcopy(unembedding).to(DEVICE))
    found = reduce_logits(x_sn.to(DEVICE), weights, wanted_sm.to(DEVICE), **options)
    return StateReadout(*(column.cpu() for column in found))


def assert_equal(found, expected, within=2e-6, size=1.0):
    torch.testing.assert_close(found.log_p.double(), expected.log_p, rtol=1e-6, atol=within * size)
    torch.testing.assert_close(
        found.log_p_top.double(), expected.log_p_top, rtol=1e-6, atol=within * size
    )
    torch.testing.assert_close(found.entropy.double(), expected.entropy, rtol=1e-6, atol=within * 4)
    torch.testing.assert_close(found.energy.double(), expected.energy, rtol=0, atol=within)
    assert torch.equal(found.top.long(), expected.top)


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize(
    ("states", "sharpness", "dtype"), [(17, 3, torch.float16), (3, 30, torch.bfloat16)]
)
def test_two_terms_are_float32(states, sharpness, dtype, bulk):
    """Neither states, tokens nor components are multiples of a tile."""
    given = case(states, 70, 161, sharpness, dtype)
    found = measured(*given, terms=2, bulk=bulk)
    assert_equal(found, exact(*given), within=4e-6, size=sharpness)


@pytest.mark.parametrize(
    ("bias", "scale", "soft_cap"),
    [(True, 1.0, None), (False, 0.3, None), (False, 1.0, 5.0), (True, -7.0, 30.0)],
)
def test_bias_scale_and_soft_cap(bias, scale, soft_cap):
    given = case(3, 64, 300, 2, bias=bias)
    options = {"scale": scale, "soft_cap": soft_cap}
    assert_equal(measured(*given, terms=2, **options), exact(*given, **options), within=4e-6)


@pytest.mark.parametrize("wanted", [1, 17])
@pytest.mark.parametrize("terms", [1, 2])
def test_any_number_of_tokens_may_be_asked_for(terms, wanted):
    """Tokens asked for twice, or the highest of their stretch, count once among all others."""
    x_sn, unembedding, wanted_sm = case(7, 64, 300, 6, seed=1, wanted=17)
    given = (x_sn, unembedding, wanted_sm[:, :wanted])
    found, expected = measured(*given, terms=terms), exact(x_sn, unembedding, wanted_sm)
    close = {"rtol": 1e-6, "atol": 4e-6 if terms == 2 else 2e-2}
    torch.testing.assert_close(found.log_p.double(), expected.log_p[:, :wanted], **close)
    torch.testing.assert_close(found.entropy.double(), expected.entropy, **close)
    torch.testing.assert_close(found.log_p_top.double(), expected.log_p_top, **close)
    assert torch.equal(found.top.long(), expected.top)
    asked_sm = given[2] == found.top[:, None]
    assert torch.equal(found.log_p[asked_sm], found.log_p_top[asked_sm.nonzero()[:, 0]])
    if wanted > 2:
        two = measured(x_sn, unembedding, wanted_sm[:, :2], terms=terms)
        torch.testing.assert_close(found.log_p[:, :2], two.log_p, **close)
        assert torch.equal(found.log_p[:, 4:6], found.log_p[:, :2])
        assert (found.energy - expected.energy).abs().max() < TOLERANCE


def test_a_certain_distribution_asked_for_in_every_place_is_one():
    """The likeliest token, 17 times: counted once, p = 1 and nothing is left for the others."""
    x_sn, unembedding, _ = case(3, 64, 300, 1)
    with torch.no_grad():
        unembedding.weight[123] = (100 * x_sn[0]).bfloat16().float()
    found = measured(x_sn, unembedding, torch.full((3, 17), 123), terms=2)
    assert (found.log_p[0] == 0).all() and found.entropy[0] == 0 and found.energy[0] == 0


@pytest.mark.parametrize("terms", [1, 2])
def test_a_token_outside_the_vocabulary_is_impossible(terms):
    x_sn, unembedding, wanted_sm = case(7, 64, 300, 6, wanted=3)
    wanted_sm[::2, 2] = torch.tensor([-1, 300, 2**31 - 1, -(2**31)])
    found = measured(x_sn, unembedding, wanted_sm, terms=terms)
    two = measured(x_sn, unembedding, wanted_sm[:, :2], terms=terms)
    assert (found.log_p[::2, 2] == -torch.inf).all() and found.log_p[1::2].isfinite().all()
    assert torch.equal(found.log_p[::2, :2], two.log_p[::2])
    assert torch.equal(found.entropy[::2], two.entropy[::2])


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, of rows that nothing is made of
def test_where_one_term_is_not_enough_two_are_taken(bulk, monkeypatch):
    monkeypatch.setattr(fused_readout, "TOLERANCE", 1e-4)
    given = case(16, 64, 300, 6, seed=1)
    expected = exact(*given)
    one, two, found = (measured(*given, terms=terms, bulk=bulk) for terms in (1, 2, 0))
    off_s, again_s = ((found.log_p - other.log_p).abs().amax(1) < 2e-6 for other in (one, two))
    assert (off_s | again_s).all() and off_s.any() and again_s.any()
    worst = (one.energy - expected.energy).abs().max()
    assert (found.energy - expected.energy).abs().max() < min(1e-4, worst)
    assert torch.equal(found.top.long(), expected.top)


def test_one_huge_logit_leaves_a_certain_distribution():
    x_sn, unembedding, wanted_s2 = case(3, 64, 300, 1)
    with torch.no_grad():
        unembedding.weight[123] = (100 * x_sn[0]).bfloat16().float()
    wanted_s2[0], wanted_s2[1, 1] = torch.tensor([123, 5]), 123
    found = measured(x_sn, unembedding, wanted_s2, terms=2)
    expected = exact(x_sn, unembedding, wanted_s2)
    assert found.top[0] == 123 and found.entropy[0] == 0 and found.energy[0] == -1
    torch.testing.assert_close(found.log_p.double(), expected.log_p, rtol=2e-6, atol=2e-4)
    assert (found.energy - expected.energy).abs().max() < 1e-4 and (found.entropy >= 0).all()


def test_of_equal_logits_the_first_token_is_the_top():
    x_sn, unembedding, wanted_s2 = case(3, 64, 300, 3)
    with torch.no_grad():
        unembedding.weight[200:] = unembedding.weight[:100].clone()
    expected = exact(x_sn, unembedding, wanted_s2)
    assert_equal(measured(x_sn, unembedding, wanted_s2, terms=2), expected, within=4e-6)
    x_sn[:] = 0
    flat = measured(x_sn, unembedding, wanted_s2)
    assert (flat.top == 0).all() and (flat.energy == 0).all()
    torch.testing.assert_close(flat.entropy, torch.full((3,), 300.0).log())


def test_energy_is_zero_just_where_the_correct_token_is_the_last():
    x_sn, unembedding, wanted_s2 = case(7, 64, 300, 20)
    found = measured(x_sn, unembedding, wanted_s2)
    assert torch.equal(found.energy == 0, wanted_s2[:, 0] == wanted_s2[:, 1])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, in the interpreter
@pytest.mark.parametrize("wrong", [torch.nan, -torch.inf])
def test_only_a_state_that_is_not_finite_is_read_out_as_such(wrong):
    x_sn, unembedding, wanted_s2 = case(3, 64, 300, 3)
    whole = measured(x_sn, unembedding, wanted_s2)
    x_sn[1, 3] = wrong
    found = measured(x_sn, unembedding, wanted_s2)
    others = torch.arange(3) != 1
    assert not found.entropy[1].isfinite() and not found.energy[1].isfinite()
    for name in ("log_p", "entropy", "energy", "top"):
        assert torch.equal(getattr(found, name)[others], getattr(whole, name)[others])


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_states_of_any_size_keep_their_digits(size):
    x_sn, unembedding, wanted_s2 = case(3, 64, 300, 3)
    given = (x_sn * size, unembedding, wanted_s2)
    options = {"scale": 1 / size}
    assert_equal(measured(*given, terms=2, **options), exact(*given, **options), within=4e-6)


def test_a_state_does_not_depend_on_the_others_nor_much_on_the_tiles(monkeypatch):
    given = case(17, 64, 300, 10)
    whole = measured(*given)
    with monkeypatch.context() as changed:
        changed.setattr(fused_readout, "GROUP", 1)  # so that there are two groups of blocks
        assert torch.equal(measured(*given).log_p, whole.log_p)
    some = torch.tensor([16, 3, 12])
    part = measured(given[0][some], given[1], given[2][some])
    assert torch.equal(part.log_p, whole.log_p[some])
    other = measured(*given, blocks={"BLOCK_S": 32, "BLOCK_V": 16, "BLOCK_N": 64})
    torch.testing.assert_close(other.energy, whole.energy, rtol=0, atol=TOLERANCE)


def test_weights_that_float16_does_not_hold_are_not_taken():
    unembedding = case(1, 64, 300, 1, dtype=torch.float32)[1]
    assert half_weights(unembedding) is None
    small = case(1, 64, 300, 1e-6)[1]
    weights = half_weights(small)
    assert torch.equal(weights.weight_vn.float() * weights.unit, small.weight)


BEFORE = torch.tensor([[4, 0, 1, 2, 3], [0, 3, 1, 2, 4], [0, 1, 2, 3, 4]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_norms_and_speeds_by_one_kernel_are_those_of_torch(dtype):
    generator = torch.Generator().manual_seed(0)
    h_btn = torch.randn(3, 5, 70, generator=generator).to(dtype)
    h_btn[1, 2, 3] = torch.inf
    found = speeds.by_kernel(h_btn.to(DEVICE), BEFORE.to(DEVICE))
    for name, theirs_bt in speeds.by_torch(h_btn, BEFORE).items():
        torch.testing.assert_close(found[name].cpu(), theirs_bt, equal_nan=True)


@pytest.mark.parametrize(("error", "warnings"), [(0, 0), (1e-2, 1)])
def test_norms_and_speeds_are_believed_once_they_agree(error, warnings, monkeypatch, caplog):
    by_torch, calls = speeds.by_torch, []

    def counted(h_btn, before_bt):
        calls.append(None)
        return {name: x_bt + error for name, x_bt in by_torch(h_btn, before_bt).items()}

    monkeypatch.setattr(speeds, "_works", None)
    monkeypatch.setattr(speeds, "by_torch", counted)
    for _ in range(3):
        speeds.on_gpu(torch.ones(3, 5, 7, device=DEVICE), BEFORE.to(DEVICE))
    assert len(caplog.records) == warnings and len(calls) == (4 if warnings else 1)


class Tiles:
    """The readout by tiles, counting its calls; one of its numbers is off by so much."""

    def __init__(self, name, error):
        self.name, self.error, self.calls = name, error, 0

    def __call__(self, *given):
        self.calls += 1
        readout = read_out_by_tiles(*given)
        log_p_last, log_p_correct = readout.log_p.T
        found = {"log_p_last": log_p_last, "log_p_correct": log_p_correct}
        found |= {"energy": readout.energy, "entropy": readout.entropy}
        found |= {"log_p_top": readout.log_p_top}
        found[self.name] = found[self.name] + self.error
        log_p_s2 = torch.stack([found.pop("log_p_last"), found.pop("log_p_correct")], dim=1)
        return SimpleNamespace(log_p=log_p_s2, **found)


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
        ("log_p_top", 1e-2, torch.bfloat16, True, 0),
        ("log_p_top", 3e-2, torch.bfloat16, False, 1),
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
    x_sn, unembedding, wanted_s2 = (part.to(DEVICE) for part in case(4, 64, 300, 3, dtype))
    tiles, decoder = Tiles(name, error), Decoder((nn.Identity(),), unembedding)
    monkeypatch.setattr(fused_readout, "read_out_by_tiles", tiles)
    for _ in range(3):
        readout = fused_readout.read_out_fused(decoder, x_sn, wanted_s2)
        assert (readout is not None) == fused
    assert tiles.calls == (dtype != torch.float32) and len(caplog.records) == warnings
    if fused:
        expected = read_out_by_tiles(decoder, x_sn, wanted_s2)
        for one, other in zip(readout, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-3)
