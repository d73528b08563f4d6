"""Methods of choosing, against plain implementations of what their authors wrote."""

import itertools
import math

import numpy as np
import pytest
import torch

from tests.generation.plain_runs import entropy, softmax, tokens_of, told_runs, written
from tests.tiny import tiny_model
from workflow_scripts.semstat.generation.methods.dynamic_temperature import DynamicTemperature
from workflow_scripts.semstat.generation.methods.edt import EntropyBased
from workflow_scripts.semstat.generation.methods.mirostat import Mirostat
from workflow_scripts.semstat.generation.methods.online import Online
from workflow_scripts.semstat.generation.methods.schedule import Schedule, constant
from workflow_scripts.semstat.generation.runs import write_runs


def made_up(seed, steps, prompts=1, runs=3, vocabulary=300, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    logits_tdrv = [
        scale * torch.randn(prompts, runs, vocabulary, generator=generator) for _ in range(steps)
    ]
    uniform_drt = torch.rand(prompts, runs, steps, generator=generator, dtype=torch.float64)
    return logits_tdrv, uniform_drt


def test_schedules_by_position_and_prompt():
    logits_tdrv, uniform_drt = made_up(0, 4, prompts=2)
    of_all = write_runs(told_runs(logits_tdrv, uniform_drt, Schedule(torch.tensor([0.5, 2.0]))))
    assert [step.sampling_temperature[1, 2].item() for step in of_all] == [0.5, 2.0, 2.0, 2.0]
    by_prompt_td = torch.tensor([[0.5, 1.0], [2.0, 3.0]])
    each = write_runs(told_runs(logits_tdrv, uniform_drt, Schedule(by_prompt_td)))
    assert each[0].sampling_temperature.tolist() == [[0.5] * 3, [1.0] * 3]
    assert each[3].sampling_temperature.tolist() == [[2.0] * 3, [3.0] * 3]
    for one, other in zip(of_all, each, strict=True):
        assert torch.equal(one.token[0], other.token[0])
        assert torch.equal(one.entropy[0], other.entropy[0])


class MirostatOfItsAuthors:
    """Algorithm 2 of arXiv 2007.14966, for one text, in the words of its authors' code.

    Their loop sorts the probabilities, takes those whose surprise −log2 p is at most max_surprise,
    renormalises, samples, and takes the surprise of the token *among what was left*.
    """

    def __init__(self, target_surprise=3.0, learning_rate=1.0):
        self.target_surprise, self.learning_rate = target_surprise, learning_rate
        self.max_surprise = 2 * target_surprise

    def kept(self, z_v):
        sorted_v = np.sort(softmax(z_v))[::-1]
        number = 0
        for candidate in sorted_v:
            if -math.log2(candidate) > self.max_surprise:
                break
            number += 1
        return max(number, 1), sorted_v

    def saw(self, z_v, token):
        number, sorted_v = self.kept(z_v)
        left = sorted_v[:number] / sorted_v[:number].sum()
        rank = int((np.sort(softmax(z_v))[::-1] > softmax(z_v)[token]).sum())
        observed = -math.log2(left[rank])
        self.max_surprise -= self.learning_rate * (observed - self.target_surprise)


@pytest.mark.parametrize(("surprise", "rate"), [(3.0, 1.0), (5.0, 0.1), (0.2, 1.0)])
def test_mirostat_is_that_of_its_authors(surprise, rate):
    logits_tdrv, uniform_drt = made_up(1, 30, prompts=2)
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, Mirostat(surprise, rate)))
    numbers = set()
    for d in range(2):
        for r in range(3):
            theirs = MirostatOfItsAuthors(surprise, rate)
            for step, logits_drv in zip(steps, logits_tdrv, strict=True):
                z_v = logits_drv[d, r].double().numpy()
                number, sorted_v = theirs.kept(z_v)
                left = sorted_v[:number] / sorted_v[:number].sum()
                assert step.entropy[d, r].item() == pytest.approx(entropy(left), abs=1e-4)
                assert softmax(z_v)[step.token[d, r]] >= sorted_v[number - 1] * (1 - 1e-9)
                theirs.saw(z_v, int(step.token[d, r]))
                numbers.add(number)
    assert len(numbers) > 3 or surprise == 0.2, "the bound moves"


def test_mirostat_holds_its_surprise():
    logits_tdrv, uniform_drt = made_up(2, 400, runs=2)
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, Mirostat(3.0, 0.1)))
    late = [step.entropy.mean().item() / math.log(2) for step in steps[100:]]
    assert np.mean(late) == pytest.approx(3.0, abs=0.1)


def test_edt_and_dynamic_temperature_by_their_formulas():
    logits_tdrv, uniform_drt = made_up(3, 3, prompts=2)
    logits_tdrv[2][:, 0, 7] = 1e4  # a run that is sure
    for method, formula in [
        (EntropyBased(), lambda h: 0.8 ** (1 / h) if h else 0.0),
        (EntropyBased(1.3, 0.6), lambda h: 1.3 * 0.8 ** (0.6 / h) if h else 0.0),
        (DynamicTemperature(), lambda h: 0.5 + h / math.log(300)),
        (DynamicTemperature(0.2, 3.0, 2.0), lambda h: 0.2 + 2.8 * (h / math.log(300)) ** 2),
    ]:
        for step, logits_drv in zip(
            write_runs(told_runs(logits_tdrv, uniform_drt, method)), logits_tdrv, strict=True
        ):
            for d in range(2):
                for r in range(3):
                    expected = formula(entropy(softmax(logits_drv[d, r].double().numpy())))
                    found = step.sampling_temperature[d, r].item()
                    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert (step.entropy[:, 0] == 0).all() and (step.token[:, 0] == 7).all()


def by_hand(entropies, target, proportion, integral):
    """Sampling temperatures of one text under proportional-integral control."""
    found, total, lacking = [], 0.0, 0.0
    for h in entropies:
        t = math.exp(proportion * lacking + integral * total)
        found.append(min(max(t, 0.05), 20.0))
        lacking = target - h(found[-1])
        total += lacking
        total = min(max(total, math.log(0.05) / integral), math.log(20.0) / integral)
    return found


@pytest.mark.parametrize(("proportion", "integral"), [(0.02, 0.005), (0.3, 0.2)])
def test_control_of_single_texts_by_hand(proportion, integral):
    logits_tdrv, uniform_drt = made_up(4, 25)
    method = Online(3.0, proportion=proportion, integral=integral)
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, method))
    for r in range(3):
        z_tv = [logits_drv[0, r].double().numpy() for logits_drv in logits_tdrv]
        entropies = [lambda t, z_v=z_v: entropy(softmax(z_v / t)) for z_v in z_tv]
        expected = by_hand(entropies, 3.0, proportion, integral)
        found = [step.sampling_temperature[0, r].item() for step in steps]
        assert found == pytest.approx(expected, rel=1e-3)
    assert method.total_dr.std() > 0, "each text has its own"


@pytest.mark.parametrize("batch", [2, 3, 5])
def test_control_of_small_batches_by_hand(batch):
    logits_tdrv, uniform_drt = made_up(5, 15, prompts=2, runs=5)
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, Online(4.0, batch, 0.3, 0.2)))
    for d in range(2):
        for first in range(0, 5, batch):
            few = range(first, min(first + batch, 5))

            def marginal(t, logits_drv, d=d, few=few):
                p_rv = [softmax(logits_drv[d, r].double().numpy() / t) for r in few]
                return entropy(np.mean(p_rv, axis=0))

            entropies = [lambda t, z=z, m=marginal: m(t, z) for z in logits_tdrv]
            expected = by_hand(entropies, 4.0, 0.3, 0.2)
            for r in few:
                found = [step.sampling_temperature[d, r].item() for step in steps]
                assert found == pytest.approx(expected, rel=1e-3)


def test_control_holds_the_entropy_and_does_not_wind_up():
    """An entropy out of reach for long; once it is in reach, it is held within ten steps."""
    logits_tdrv, uniform_drt = made_up(6, 160, runs=2)
    for t in range(100):
        logits_tdrv[t] = torch.zeros(1, 2, 300)  # ln 300 at every sampling temperature
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, Online(4.0, 1, 0.3, 0.2)))
    assert steps[99].sampling_temperature.max() < 0.051
    late = [step.entropy.mean().item() for step in steps[120:]]
    assert np.mean(late) == pytest.approx(4.0, abs=0.1)


def test_without_an_integral_it_is_proportional():
    logits_tdrv, uniform_drt = made_up(7, 5)
    steps = write_runs(told_runs(logits_tdrv, uniform_drt, Online(3.0, 1, 0.5, 0.0)))
    for before, after in itertools.pairwise(steps):
        expected = (0.5 * (3.0 - before.entropy)).exp()
        assert torch.allclose(after.sampling_temperature, expected)


@pytest.mark.parametrize(
    "make", [lambda: constant(0.8), Mirostat, EntropyBased, DynamicTemperature, lambda: Online(2.0)]
)
def test_more_runs_and_prompts_change_no_run(make):
    model = tiny_model(scale=0.2)
    few = tokens_of(written(model, [[0, 5, 9]], range(2), make()))
    more = tokens_of(written(model, [[0, 5, 9], [0, 1, 2]], range(4), make()))
    assert torch.equal(few[0], more[0, :2])
