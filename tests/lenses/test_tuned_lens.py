"""A tuned lens starts from nothing known, learns what an affine map can undo, and no more."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.tiny import BLOCKS, tiny_model
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.energies.readout import begin_read_out
from workflow_scripts.semstat.lenses import tuned_lens
from workflow_scripts.semstat.lenses.divergence import describe_divergence
from workflow_scripts.semstat.lenses.translator import Translator
from workflow_scripts.semstat.lenses.tuned_lens import divergences, split_documents, train_lens
from workflow_scripts.semstat.models.decoder import Decoder, LayeredModel
from workflow_scripts.semstat.models.windows import Window, cut_windows

HIDDEN = 32
INNER = list(range(BLOCKS))


def windows(documents, seed, length=40):
    rng = np.random.default_rng(seed)
    return [
        window
        for doc in range(documents)
        for window in cut_windows(doc, rng.integers(257, size=length + 1, dtype=np.int32), 64, 32)
    ]


TRAINING, TESTING = windows(60, seed=0), windows(12, seed=1)


def zero():
    return Translator(torch.zeros(HIDDEN, HIDDEN), torch.zeros(HIDDEN))


def train(model, layers=INNER, epochs=2, seed=0, training=TRAINING):
    return train_lens(model, training, layers, epochs, np.random.default_rng(seed))


def mean_divergence(model, lens, testing=TESTING):
    """layer → mean divergence, nats: logit lens, tuned lens."""
    sums = divergences(model, testing, list(lens), lens, 512)
    states = sum(window.states for window in testing)
    return {layer: sum_w2.sum(axis=0) / states for layer, sum_w2 in sums.items()}


@pytest.fixture(scope="module")
def model():
    return LayeredModel(tiny_model())


@pytest.fixture(scope="module")
def lens(model):
    return train(model)


def test_a_translator_of_zeros_is_the_logit_lens_bit_by_bit(model):
    (plain,) = measure_windows(model, TESTING, [*INNER, BLOCKS], 512)
    (through,) = measure_windows(
        model, TESTING, [*INNER, BLOCKS], 512, lens={layer: zero() for layer in INNER}
    )
    for layer, columns in plain.items():
        for name, column in columns.items():
            np.testing.assert_array_equal(through[layer][name], column, err_msg=name)


def test_a_translator_is_applied_before_the_decode(model, lens):
    """By plain products in float64, at the layer that it is for and at no other."""
    (found,) = measure_windows(model, TESTING, [1, BLOCKS], 512, lens={1: lens[1]})
    (plain,) = measure_windows(model, TESTING, [1, BLOCKS], 512)
    exact = copy.deepcopy(model.model).double()
    weight, bias = lens[1].weight.detach().double(), lens[1].bias.detach().double()
    expected = []
    for window in TESTING:
        ids = torch.tensor(window.tokens_t[None], dtype=torch.long)
        with torch.inference_mode():
            h_tn = exact(ids[:, :-1], output_hidden_states=True).hidden_states[1][0]
            translated = h_tn + h_tn @ weight.T + bias
            p_tv = exact.lm_head(exact.model.norm(translated)).softmax(-1)
        rows = np.arange(window.first, window.positions)
        expected.append(p_tv[rows, ids[0, 1:][rows]] - p_tv[rows, ids[0, :-1][rows]])
    np.testing.assert_allclose(found[1]["energy"], torch.cat(expected), atol=1e-5)
    assert np.abs(found[1]["energy"] - plain[1]["energy"]).max() > 0.1
    for name, column in plain[BLOCKS].items():
        np.testing.assert_array_equal(found[BLOCKS][name], column)
    for name in ("norm", "speed"):
        np.testing.assert_array_equal(found[1][name], plain[1][name])


def test_divergence_is_that_of_the_definition(model, lens):
    sums = divergences(model, TESTING[:3], [0, 2], lens, 64)
    exact = copy.deepcopy(model.model).double()
    for index, window in enumerate(TESTING[:3]):
        ids = torch.tensor(window.tokens_t[None, :-1], dtype=torch.long)
        with torch.inference_mode():
            output = exact(ids, output_hidden_states=True)
            p_tv = output.logits[0].softmax(-1)
            for layer in (0, 2):
                h_tn = output.hidden_states[layer][0]
                log_q_tv = exact.lm_head(exact.model.norm(h_tn)).log_softmax(-1)
                divergence_t = (p_tv * (p_tv.log() - log_q_tv)).sum(-1)
                expected = divergence_t[window.first :].sum().item()
                assert sums[layer][index, 0] == pytest.approx(expected, rel=1e-4)


def test_training_lowers_the_divergence_of_documents_not_trained_on(model, lens):
    for before, after in mean_divergence(model, lens).values():
        assert after < 0.85 * before


@pytest.fixture
def started(monkeypatch):
    """Train without moving from the least squares."""

    def start(*arguments, **options):
        with monkeypatch.context() as patch:
            patch.setattr(tuned_lens, "LEARNING_RATE", 0.0)
            return train(*arguments, epochs=1, **options)

    return start


def test_the_descent_lowers_it_below_least_squares(model, started):
    started = started(model)
    more = train(model, epochs=8)
    start, end = (mean_divergence(model, each, TRAINING) for each in (started, more))
    for layer in INNER:
        assert end[layer][1] < 0.99 * start[layer][1]


def test_a_layer_does_not_depend_on_the_others(model, lens):
    (alone,) = train(model, [1]).values()
    for name, parameter in alone.named_parameters():
        torch.testing.assert_close(parameter, dict(lens[1].named_parameters())[name])


def test_seeded_runs_are_identical(model, lens):
    again, other = train(model), train(model, seed=1)
    for layer in INNER:
        assert torch.equal(again[layer].weight, lens[layer].weight)
        assert torch.equal(again[layer].bias, lens[layer].bias)
        assert not torch.equal(other[layer].weight, lens[layer].weight)


class Distorted(nn.Module):
    """A last block that is an affine map."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.randn(HIDDEN, HIDDEN, generator=generator) / HIDDEN**0.5
        self.bias = torch.randn(HIDDEN, generator=generator)

    def forward(self, hidden_states, *_args, **_kwargs):
        return hidden_states @ self.weight.T + self.bias


def test_a_planted_affine_distortion_is_recovered():
    planted = tiny_model()
    planted.model.layers[-1] = Distorted()
    model = LayeredModel(planted)
    lens = train(model, [BLOCKS - 1])
    before, after = mean_divergence(model, lens)[BLOCKS - 1]
    assert before > 0.5
    assert after < 1e-3


@pytest.mark.parametrize("family", ["Gemma 2", "Cohere", "OPT, 350m", "Phi"])
def test_the_descent_passes_through_every_decode(family, started, monkeypatch):
    """Soft cap, logit scale, projection, bias; least squares leaves OPT nothing to learn."""
    monkeypatch.setattr(tuned_lens._Moments, "least_squares", lambda _moments: zero())
    model = LayeredModel(tiny_model(family))
    few = TRAINING[:20]
    start = mean_divergence(model, started(model, [1], training=few), few)[1][1]
    end = mean_divergence(model, train(model, [1], epochs=6, training=few), few)[1][1]
    assert end < start


def test_logits_exist_for_a_chunk_of_states_at_a_time(model, monkeypatch):
    most = 0
    plain = Decoder.logits

    def watched(self, q_sn):
        nonlocal most
        most = max(most, len(q_sn))
        return plain(self, q_sn)

    monkeypatch.setattr(Decoder, "logits", watched)
    monkeypatch.setattr(
        "workflow_scripts.semstat.lenses.tuned_lens.LOGIT_BYTES", {"cpu": 4 * 257 * 7}
    )
    lens = train(model, [0], epochs=1, training=TRAINING[:8])
    divergences(model, TESTING, [0], lens, 512)
    assert most == 7


def test_an_activation_that_is_not_finite_is_an_error():
    model = tiny_model()
    with torch.no_grad():
        model.model.embed_tokens.weight[200] = torch.nan
    layered = LayeredModel(model)
    tokens_t = np.array([0, 5, 200, 7, 9, 11], dtype=np.int32)
    with pytest.raises(FloatingPointError, match=r"^layer 1: NaN or infinite "):
        train(layered, [1], training=[*TRAINING[:4], Window(0, 0, tokens_t, 0)])


def test_documents_are_split_without_overlap():
    for documents in (8, 9, 64):
        trained, held_out = split_documents(documents)
        assert sorted([*trained, *held_out]) == list(range(documents))
        assert len(held_out) == documents // 4


def test_intervals_of_the_divergence_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    inside = {"logit_lens": 0, "tuned_lens": 0, "gain": 0}
    for _ in range(400):
        states_d = rng.integers(20, 60, size=12)
        level_d = rng.normal(size=12)
        sum_d2 = states_d[:, None] * (np.array([5.0, 2.0]) + 0.5 * level_d[:, None])
        sum_d2 += rng.normal(size=(12, 2)) * np.sqrt(states_d)[:, None]
        found = describe_divergence(sum_d2, states_d, 0.95)
        for name, truth in (("logit_lens", 5), ("tuned_lens", 2), ("gain", 3)):
            inside[name] += found[f"{name}_low"] <= truth <= found[f"{name}_high"]
    for name, count in inside.items():
        assert abs(count / 400 - 0.95) < 0.04, name


def test_readouts_through_a_lens_are_float32(model, lens):
    half = LayeredModel(tiny_model().bfloat16())
    decoder = half.decoder.in_float32().after(lens[1])
    q_sn = torch.randn(5, HIDDEN).bfloat16()
    wanted_s2 = torch.arange(10).view(5, 2)
    found = begin_read_out(decoder, q_sn, wanted_s2)()
    assert found.entropy.dtype == torch.float32
    log_p_top_s = decoder.logits(q_sn.float()).double().log_softmax(-1).amax(-1)
    torch.testing.assert_close(found.log_p_top.double(), log_p_top_s, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("family", ["Llama", "Gemma 2", "Cohere", "OPT, 350m", "Phi"])
def test_the_gradient_is_the_difference_quotient(family):
    model = LayeredModel(tiny_model(family).double())
    decoder = model.decoder
    generator = torch.Generator().manual_seed(0)
    hidden = model.model.config.hidden_size
    h_sn, y_sn = torch.randn(2, 9, hidden, generator=generator, dtype=torch.float64)
    weight = 0.1 * torch.randn(hidden, hidden, generator=generator).double()
    translator = Translator(weight, torch.zeros(hidden).double())
    batch = tuned_lens._Batch(np.zeros(9, dtype=np.int64), y_sn, {1: h_sn})
    tuned_lens._descend(decoder, {1: translator}, batch)

    def divergence(step):
        with torch.no_grad():
            log_p = decoder.logits(y_sn).log_softmax(-1)
            moved = Translator(weight + step * direction, torch.zeros(hidden).double())
            log_q = decoder.after(moved).logits(h_sn).log_softmax(-1)
            return (log_p.exp() * (log_p - log_q)).sum(-1).mean().item()

    slope = translator.weight.grad.norm().item()
    direction = translator.weight.grad / slope
    # Some norms compute in float32 whatever they are given, so the step is not a small one.
    quotient = (divergence(3e-3) - divergence(-3e-3)) / 6e-3
    assert slope == pytest.approx(quotient, rel=1e-3)
