"""Runs written side by side, against each written alone, and every number against brute force."""

import numpy as np
import pytest
import torch

from tests.generation.plain_runs import (
    entropy,
    inverse,
    plain_run,
    softmax,
    tokens_of,
    told_runs,
    written,
)
from tests.tiny import FAMILIES, tiny_model
from workflow_scripts.semstat.generation.methods.mirostat import Mirostat
from workflow_scripts.semstat.generation.methods.schedule import Schedule, constant
from workflow_scripts.semstat.generation.runs import draw_uniform_runs, look_at, write_runs
from workflow_scripts.semstat.models.replay import Reader

PROMPTS = [[0, 5, 9, 200], [0, 6, 1, 8]]


@pytest.mark.parametrize("family", FAMILIES)
def test_runs_are_what_each_is_alone(family):
    """Twelve tokens after four: past the sliding windows of 8."""
    model = tiny_model(family, scale=0.2)
    temperature_t = np.linspace(0.5, 1.5, 12)
    found = tokens_of(written(model, PROMPTS, range(3), Schedule(torch.tensor(temperature_t))))
    for d, (doc, prompt) in enumerate(zip((3, 4), PROMPTS, strict=True)):
        for run in range(3):
            uniform_t = draw_uniform_runs(0, doc, range(run, run + 1), 12)[0]
            expected, _ = plain_run(model, prompt, temperature_t, uniform_t)
            assert found[d, run].tolist() == expected


@pytest.mark.parametrize("family", ["Llama", "Mistral", "Gemma 2", "BLOOM"])
def test_neither_threads_nor_what_is_written_beside_it_change_a_run(family):
    model = tiny_model(family, scale=0.2)
    alone = written(model, PROMPTS, range(5))
    found = tokens_of(alone)
    torch.set_num_threads(3)
    try:
        shared = written(model, PROMPTS, range(5))
    finally:
        torch.set_num_threads(1)
    assert torch.equal(tokens_of(shared), found)
    for one, other in zip(alone, shared, strict=True):
        for name in ("entropy", "logit_variance", "surprisal", "energy"):
            torch.testing.assert_close(getattr(one, name), getattr(other, name))
        for one_d, other_d in zip(one.marginal, other.marginal, strict=True):
            torch.testing.assert_close(one_d, other_d, rtol=1e-4, atol=1e-5)
    more = tokens_of(written(model, [*PROMPTS, [0, 1, 2, 3]], range(9), docs=(3, 4, 8)))
    assert torch.equal(more[:2, :5], found)
    later = tokens_of(written(model, PROMPTS[1:], range(2, 5), docs=(4,)))
    assert torch.equal(later[0], found[1, 2:])
    assert len({tuple(run) for run in found.flatten(0, 1).tolist()}) == 10


def test_a_prompt_of_the_prefix_token_alone():
    model = tiny_model(scale=0.2)
    found = tokens_of(written(model, [[0]], range(2)))
    for run in range(2):
        uniform_t = draw_uniform_runs(0, 3, range(run, run + 1), 12)[0]
        assert found[0, run].tolist() == plain_run(model, [0], np.ones(12), uniform_t)[0]


def test_a_prompt_is_read_once(monkeypatch):
    read = []
    whole = Reader._read_on

    def count(self, ids_xt, cache):
        read.append(tuple(ids_xt.shape))
        return whole(self, ids_xt, cache)

    model = tiny_model()
    monkeypatch.setattr(Reader, "_read_on", count)
    written(model, PROMPTS, range(7), steps=4)
    checked = read.index((2, 3))  # what stands before is the reader's own check
    assert read[checked:] == [(2, 3), (2, 1), *[(14, 1)] * 3]


def brute_force(logits_rv, kept_rv, temperature_r, last_r, token_r):
    """Numbers of one prompt's step in float64, one by one."""
    found = {"entropy": [], "logit_variance": [], "surprisal": [], "energy": []}
    p_rv = []
    for z_v, kept_v, temperature, last, token in zip(
        logits_rv.double().numpy(), kept_rv, temperature_r, last_r, token_r, strict=True
    ):
        own_v = softmax(z_v)
        p_v = softmax(np.where(kept_v, z_v / temperature, -np.inf))
        mean = sum(p * z for p, z in zip(p_v, z_v, strict=True))
        found["entropy"].append(entropy(p_v))
        found["logit_variance"].append(
            sum(p * (z - mean) ** 2 for p, z in zip(p_v, z_v, strict=True))
        )
        found["surprisal"].append(-np.log(own_v[token]))
        found["energy"].append(own_v[token] - own_v[last])
        p_rv.append(p_v)
    return found, np.array(p_rv)


LOGITS = {
    "of a model": lambda g: 3 * torch.randn(2, 4, 300, generator=g) + 12,
    "far from 0": lambda g: torch.randn(2, 4, 300, generator=g) - 500,
    "sure": lambda g: 40 * torch.randn(2, 4, 300, generator=g),
    "all the same": lambda _g: torch.full((2, 4, 300), 7.25),
    "two highest": lambda g: torch.randn(2, 4, 300, generator=g).index_fill_(
        2, torch.tensor([5, 299]), 9.0
    ),
}


@pytest.mark.parametrize("logits", LOGITS)
@pytest.mark.parametrize("sampling_temperature", [1e-3, 0.7, 1.0, 50.0])
def test_every_number_of_a_step(logits, sampling_temperature):
    generator = torch.Generator().manual_seed(0)
    logits_tdrv = [LOGITS[logits](generator) for _ in range(2)]
    uniform_drt = torch.rand(2, 4, 2, generator=generator, dtype=torch.float64)
    runs = told_runs(logits_tdrv, uniform_drt, constant(sampling_temperature))
    last_dr = torch.zeros(2, 4, dtype=torch.long)
    for t, step in enumerate(write_runs(runs)):
        compare(step, logits_tdrv[t], uniform_drt[..., t], last_dr, sampling_temperature)
        last_dr = step.token


def compare(step, logits_drv, uniform_dr, last_dr, sampling_temperature, kept_drv=None):
    kept_drv = torch.ones_like(logits_drv, dtype=torch.bool) if kept_drv is None else kept_drv
    for d, logits_rv in enumerate(logits_drv):
        temperature_r = np.full(len(logits_rv), sampling_temperature)
        tokens = step.token[d].tolist()
        found, p_rv = brute_force(logits_rv, kept_drv[d], temperature_r, last_dr[d], tokens)
        # In float32 what is divided by the sampling temperature has an error of 1e-7 of itself.
        for name, expected_r in found.items():
            got_r = getattr(step, name)[d].numpy()
            np.testing.assert_allclose(got_r, expected_r, rtol=2e-5, atol=2e-5, err_msg=name)
        for p_v, u, token in zip(p_rv, uniform_dr[d].tolist(), tokens, strict=True):
            below, above = p_v[:token].sum(), p_v[: token + 1].sum()
            assert below - 1e-5 <= u <= above + 1e-5 and p_v[token] > 0
        marginal = step.marginal
        expected = entropy(p_rv.mean(axis=0))
        assert marginal.entropy_d[d].item() == pytest.approx(expected, rel=1e-5, abs=1e-5)
        conditional = np.mean(found["entropy"])
        assert marginal.conditional_d[d].item() == pytest.approx(conditional, rel=1e-5, abs=2e-5)
        assert (step.sampling_temperature == sampling_temperature).all()


@pytest.mark.parametrize("logits", LOGITS)
def test_a_sampling_temperature_of_0_takes_the_most_probable_token(logits):
    generator = torch.Generator().manual_seed(0)
    logits_drv = LOGITS[logits](generator)
    uniform_dr1 = torch.rand(2, 4, 1, generator=generator, dtype=torch.float64)
    (step,) = write_runs(told_runs([logits_drv], uniform_dr1, constant(0.0)))
    highest_drv = logits_drv == logits_drv.amax(dim=-1, keepdim=True)
    assert highest_drv.gather(2, step.token[..., None]).all()
    assert torch.allclose(step.entropy, highest_drv.sum(dim=-1).float().log())
    assert (step.logit_variance == 0).all() and (step.sampling_temperature == 0).all()


def test_0_tells_logits_apart_that_differ_in_their_last_bit():
    logits_drv = torch.zeros(1, 2, 8)
    logits_drv[..., 3] = 20.0
    logits_drv[..., 5] = torch.nextafter(torch.tensor(20.0), torch.tensor(21.0))
    uniform_dr1 = torch.zeros(1, 2, 1, dtype=torch.float64)
    (step,) = write_runs(told_runs([logits_drv], uniform_dr1, constant(0.0)))
    assert (step.token == 5).all() and (step.entropy == 0).all()


def test_every_number_where_tokens_are_cut_off():
    generator = torch.Generator().manual_seed(0)
    logits_tdrv = [2 * torch.randn(2, 4, 300, generator=generator) for _ in range(6)]
    uniform_drt = torch.rand(2, 4, 6, generator=generator, dtype=torch.float64)
    bound_dr = torch.full((2, 4), 6.0, dtype=torch.float64)
    last_dr = torch.zeros(2, 4, dtype=torch.long)
    cut_off = 0
    for t, step in enumerate(write_runs(told_runs(logits_tdrv, uniform_drt, Mirostat()))):
        own_drv = logits_tdrv[t].double().softmax(-1)
        kept_drv = -own_drv.log2() <= bound_dr[..., None]
        cut_off += (~kept_drv).sum()
        compare(step, logits_tdrv[t], uniform_drt[..., t], last_dr, 1.0, kept_drv)
        p_drv = own_drv * kept_drv / (own_drv * kept_drv).sum(-1, keepdim=True)
        bits_dr = -p_drv.gather(2, step.token[..., None])[..., 0].log2()
        bound_dr -= bits_dr - 3.0
        last_dr = step.token
    assert cut_off > 5000


def test_runs_that_have_ended_count_nowhere():
    generator = torch.Generator().manual_seed(3)
    logits_tdrv = [2 * torch.randn(1, 5, 12, generator=generator) for _ in range(40)]
    uniform_drt = torch.rand(1, 5, 40, generator=generator, dtype=torch.float64)
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, constant(1.0), end_tokens=[3, 7]))
    alive_r = np.ones(5, dtype=bool)
    for step, logits_drv in zip(steps, logits_tdrv, strict=False):
        assert step.alive[0].tolist() == alive_r.tolist()
        p_rv = logits_drv[0].double().softmax(-1).numpy()[alive_r]
        assert step.marginal.runs_d.item() == alive_r.sum()
        assert step.marginal.entropy_d.item() == pytest.approx(entropy(p_rv.mean(axis=0)), abs=1e-5)
        conditional = np.mean([entropy(p_v) for p_v in p_rv])
        assert step.marginal.conditional_d.item() == pytest.approx(conditional, abs=1e-5)
        alive_r &= ~np.isin(step.token[0], [3, 7])
    assert not alive_r.any() and len(steps) < 40
    going_on = write_runs(told_runs(logits_tdrv, uniform_drt, constant(1.0)))
    assert len(going_on) == 40 and all(step.alive.all() for step in going_on)


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
def test_logits_that_are_no_numbers_are_refused(wrong):
    logits_drv = torch.zeros(2, 2, 8)
    logits_drv[1, 0, 4] = wrong
    uniform_dr1 = torch.zeros(2, 2, 1, dtype=torch.float64)
    with pytest.raises(FloatingPointError, match="NaN or infinite logits"):
        write_runs(told_runs([logits_drv], uniform_dr1, constant(1.0)))


def test_a_run_has_its_own_numbers():
    found = draw_uniform_runs(0, 7, range(2, 5), 6)
    assert found.shape == (3, 6) and ((found >= 0) & (found < 1)).all()
    assert (draw_uniform_runs(0, 7, range(4, 9), 9)[0, :6] == found[2]).all()
    for other in (draw_uniform_runs(1, 7, range(2, 5), 6), draw_uniform_runs(0, 8, range(2, 5), 6)):
        assert not np.isin(other, found).any()
    assert inverse(np.array([0.25, 0.0, 0.75]), 0.25) == 2


def test_a_schedule_goes_to_the_device_once():
    schedule = Schedule(torch.tensor([[0.5, 1.0], [0.7, 2.0]], dtype=torch.float64))
    look = look_at(torch.zeros((2, 3, 5)), torch.ones((2, 3), dtype=torch.bool))
    first_dr = schedule.sampling_temperature(0, look)
    held = schedule.temperature_t
    later_dr = schedule.sampling_temperature(1, look)
    assert first_dr.dtype == held.dtype == torch.float32
    assert schedule.temperature_t.data_ptr() == held.data_ptr()
    assert later_dr.tolist() == [[pytest.approx(0.7)] * 3, [2.0] * 3]
