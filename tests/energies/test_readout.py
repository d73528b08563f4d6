"""Readouts against float64 over the whole vocabulary, and the bound on their memory."""

import numpy as np
import pytest
import torch
from torch import nn

from workflow_scripts.semstat.energies import tiles
from workflow_scripts.semstat.energies.readout import begin_read_out, first_not_finite
from workflow_scripts.semstat.energies.tiles import TILE, TileReadout
from workflow_scripts.semstat.models.decoder import Decoder

VOCABULARY, STATES = 101, 500


@pytest.fixture
def decoder():
    """A decoder that takes hidden states for logits."""
    unembedding = nn.Linear(VOCABULARY, VOCABULARY, bias=False).requires_grad_(False)
    unembedding.weight.copy_(torch.eye(VOCABULARY))
    return Decoder((), unembedding)


def read_out(*given):
    return begin_read_out(*given)()


def states(sharpness: float, seed: int = 0, wanted: int = 2):
    """Logits, and tokens asked for, the last and the correct one first.

    Every fifth correct token is the last one; with more than two, every third state asks for the
    last one again, every fourth for the likeliest.
    """
    rng = np.random.default_rng(seed)
    logits_sv = rng.normal(scale=sharpness, size=(STATES, VOCABULARY)).astype(np.float32)
    wanted_sm = rng.integers(VOCABULARY, size=(wanted, STATES)).T.copy()
    wanted_sm[::5, 1] = wanted_sm[::5, 0]
    wanted_sm[::3, 2:3] = wanted_sm[::3, :1]
    wanted_sm[::4, 3:4] = logits_sv[::4].argmax(axis=1, keepdims=True)
    return torch.from_numpy(logits_sv), torch.from_numpy(wanted_sm)


@pytest.fixture(params=["numba", "torch"])
def arithmetic(request, monkeypatch):
    """What reduces tiles: on a CPU numba, elsewhere torch, which is tried here too."""

    def by_torch(decoder, x_sn, wanted_sm, share):
        read = [
            tiles._read_tile(decoder.unembed(x_sn, tile), tile.start, wanted_sm) for tile in share
        ]
        return TileReadout(*map(torch.stack, zip(*read, strict=True))).merged()

    if request.param == "torch":
        monkeypatch.setattr(tiles, "_read_tiles_on_cpu", by_torch)
    monkeypatch.setitem(TILE, "cpu", (200, 40))


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("wanted", [2, 17])
@pytest.mark.parametrize("sharpness", [1e-3, 1, 30, 1e3, 1e5])
def test_readout_equals_float64_over_the_vocabulary(decoder, sharpness, wanted):
    q_sn, wanted_sm = states(sharpness, wanted=wanted)
    found = read_out(decoder, q_sn, wanted_sm)
    log_p_sv = q_sn.double().log_softmax(-1)
    exact_sm = log_p_sv.gather(1, wanted_sm).float()
    torch.testing.assert_close(found.log_p, exact_sm, rtol=3e-7, atol=2e-6)
    p_sv = log_p_sv.exp()
    last_s, correct_s = p_sv.gather(1, wanted_sm)[:, :2].T
    exact_s = correct_s - last_s
    torch.testing.assert_close(found.energy.double(), exact_s, rtol=0, atol=1e-6)
    entropy_s = torch.special.entr(p_sv).sum(-1)
    torch.testing.assert_close(found.entropy.double(), entropy_s, rtol=1e-5, atol=2e-6)
    assert torch.equal(found.top.long(), q_sn.argmax(-1))
    torch.testing.assert_close(found.log_p_top.double(), log_p_sv.amax(-1), rtol=3e-7, atol=2e-6)
    asked_sm = wanted_sm == found.top[:, None]
    assert torch.equal(found.log_p[asked_sm], found.log_p_top[asked_sm.nonzero()[:, 0]])
    assert (found.energy.abs() <= 1).all() and (found.entropy >= 0).all()


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("wanted", [1, 2, 5])
def test_what_else_is_asked_for_changes_no_bit(decoder, wanted):
    q_sn, wanted_sm = states(3, wanted=17)
    whole = read_out(decoder, q_sn, wanted_sm)
    found = read_out(decoder, q_sn, wanted_sm[:, :wanted])
    assert torch.equal(found.log_p, whole.log_p[:, :wanted])
    for name in ("entropy", "top", "log_p_top"):
        assert torch.equal(getattr(found, name), getattr(whole, name)), name
    if wanted > 1:
        assert torch.equal(found.energy, whole.energy)
    same_smm = wanted_sm[:, :, None] == wanted_sm[:, None]
    log_p_smm = whole.log_p[:, :, None].expand_as(same_smm)
    assert torch.equal(log_p_smm[same_smm], log_p_smm.mT[same_smm])


@pytest.mark.usefixtures("arithmetic")
def test_a_token_outside_the_vocabulary_is_impossible(decoder):
    q_sn, wanted_sm = states(3, wanted=4)
    whole = read_out(decoder, q_sn, wanted_sm)
    outside_sm = torch.zeros_like(wanted_sm, dtype=torch.bool)
    outside_sm[::2, 1] = outside_sm[1::2, 3] = True
    wanted_sm[::2, 1], wanted_sm[1::2, 3] = -1, VOCABULARY
    found = read_out(decoder, q_sn, wanted_sm)
    assert torch.equal(found.log_p, whole.log_p.masked_fill(outside_sm, -torch.inf))
    assert torch.equal(found.energy[::2], -whole.log_p[::2, 0].double().exp().float())
    assert torch.equal(found.entropy, whole.entropy)


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("sharpness", [1, 30, 1e3, 1e5])
def test_energy_is_zero_just_where_the_correct_token_is_the_last(decoder, sharpness):
    q_sn, wanted_s2 = states(sharpness)
    last_s, correct_s = wanted_s2.T
    found = read_out(decoder, q_sn, wanted_s2)
    assert torch.equal(found.energy == 0, last_s == correct_s)
    row_s = torch.arange(STATES)
    sign_s = torch.sign(q_sn[row_s, correct_s] - q_sn[row_s, last_s])
    assert torch.equal(torch.sign(found.energy), sign_s)
    assert not torch.signbit(found.energy[last_s == correct_s]).any()


@pytest.mark.parametrize("tile", [(1, 7), (7, 1), (64, 64), (STATES - 1, 100), (1000, 1000)])
def test_readout_does_not_depend_on_the_tile(decoder, monkeypatch, tile):
    q_sn, wanted_sm = states(3)
    whole = read_out(decoder, q_sn, wanted_sm)
    monkeypatch.setitem(TILE, "cpu", tile)
    for one, other in zip(read_out(decoder, q_sn, wanted_sm), whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_readout_depends_on_threads_in_no_bit(decoder, monkeypatch, threads):
    monkeypatch.setitem(TILE, "cpu", (70, 2))
    q_sn, wanted_sm = states(3)
    whole = read_out(decoder, q_sn, wanted_sm)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert all(map(torch.equal, read_out(decoder, q_sn, wanted_sm), whole))


@pytest.mark.parametrize("threads", [1, 2])
def test_of_equal_logits_the_first_token_is_the_top(monkeypatch, threads):
    """Far apart, so that different threads read them."""
    generator = torch.Generator().manual_seed(0)
    unembedding = nn.Linear(8, 34 * TILE["cpu"][1] + 5, bias=False).requires_grad_(False)
    unembedding.weight.copy_(0.1 * torch.randn(unembedding.weight.shape, generator=generator))
    first, second = 515, 16391
    unembedding.weight[[first, second]] = torch.eye(8)[3]
    q_sn = torch.randn(40, 8, generator=generator)
    q_sn[:, 3] = 9
    wanted_s2 = torch.tensor([[second, first]]).repeat(40, 1)
    decoder = Decoder((), unembedding)
    one = read_out(decoder, q_sn, wanted_s2)
    assert torch.equal(*one.log_p.T)
    assert (one.top == first).all()
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert all(map(torch.equal, read_out(decoder, q_sn, wanted_s2), one))


def test_readouts_begun_before_another_ends_do_not_mix(decoder, monkeypatch):
    monkeypatch.setitem(TILE, "cpu", (70, 2))
    given = [states(3, seed=seed) for seed in (1, 2, 3)]
    alone = [read_out(decoder, *each) for each in given]
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    begun = [begin_read_out(decoder, *each) for each in given]
    for end, whole in zip(begun, alone, strict=True):
        assert all(map(torch.equal, end(), whole))


class Watched(Decoder):
    """A decoder that remembers the largest tile it was asked for."""

    largest = 0

    def unembed(self, x_sn, tokens=slice(None), out=None):
        logits_sv = super().unembed(x_sn, tokens, out)
        Watched.largest = max(Watched.largest, logits_sv.numel())
        return logits_sv


def test_no_more_logits_exist_than_a_tile(decoder, monkeypatch):
    monkeypatch.setitem(TILE, "cpu", (20, 30))
    Watched.largest = 0
    read_out(Watched((), decoder.unembedding), *states(3))
    assert Watched.largest == 20 * 30


def test_states_keep_their_order_and_may_be_half_precision(decoder):
    q_sn, wanted_sm = states(3)
    half = read_out(decoder, q_sn.bfloat16(), wanted_sm)
    same = read_out(decoder, q_sn.bfloat16().float(), wanted_sm)
    assert all(map(torch.equal, half, same))
    order_s = torch.randperm(STATES, generator=torch.Generator().manual_seed(0))
    moved = read_out(decoder, q_sn[order_s], wanted_sm[order_s])
    whole = read_out(decoder, q_sn, wanted_sm)
    for one, other in zip(moved, whole, strict=True):
        torch.testing.assert_close(one, other[order_s], rtol=1e-6, atol=1e-6)


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("state", [0, 333])
def test_what_is_not_finite_is_found_by_its_number(decoder, wrong, state):
    q_sn, wanted_sm = states(1)
    whole = read_out(decoder, q_sn, wanted_sm)
    assert first_not_finite(whole.energy.numpy(), whole.entropy.numpy()) is None
    q_sn[state:] = wrong
    broken = read_out(decoder, q_sn, wanted_sm)
    assert first_not_finite(broken.energy.numpy(), broken.entropy.numpy()) == state
