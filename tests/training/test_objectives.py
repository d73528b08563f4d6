"""Objectives on text, against formulas written out, loops over tokens and finite differences."""

from math import exp, log, log1p

import pytest
import torch

from tests.training.windows import OBJECTIVES, batches, evaluate, logits_of, text
from workflow_scripts.semstat.training.contrastive import Contrastive
from workflow_scripts.semstat.training.cross_entropy import CrossEntropy
from workflow_scripts.semstat.training.ditto import Ditto
from workflow_scripts.semstat.training.energy_barrier import EnergyBarrier
from workflow_scripts.semstat.training.log_probabilities import LEAST, log_complement
from workflow_scripts.semstat.training.objective import Batch
from workflow_scripts.semstat.training.unlikelihood import Unlikelihood


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_gradients_are_those_of_finite_differences(objective):
    # DITTO holds fixed what finite differences move.
    for batch in [text()] if isinstance(objective, Ditto) else batches(objective):
        logits_xtv = logits_of(batch)
        assert torch.autograd.gradcheck(lambda z, b=batch: evaluate(objective, b, z), logits_xtv)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_correct_and_last_tokens_are_asked_for_first(objective):
    for batch in batches(objective):
        wanted_xtm = objective.wanted(batch)
        assert torch.equal(wanted_xtm[..., 0], batch.correct_xt)
        assert torch.equal(wanted_xtm[..., 1], batch.last_xt)


@pytest.mark.parametrize(
    "objective",
    [
        EnergyBarrier(strength=0.0),
        EnergyBarrier(strength=0.0, periods=8, in_log_odds=True, shape="squared_hinge"),
        EnergyBarrier(acts_on="continuations"),
        Unlikelihood(strength=0.0),
        Unlikelihood(acts_on="continuations"),
        Contrastive(strength=0.0),
        Ditto(),
    ],
    ids=repr,
)
def test_what_adds_nothing_is_cross_entropy(objective):
    batch = text()
    ours, peer = logits_of(batch), logits_of(batch)
    loss, of_peer = evaluate(objective, batch, ours), evaluate(CrossEntropy(), batch, peer)
    torch.testing.assert_close(loss, of_peer)
    loss.backward()
    of_peer.backward()
    torch.testing.assert_close(ours.grad, peer.grad)


def phi(shape, u):
    """φ and its derivative."""
    if shape == "softplus":
        return log1p(exp(u)), 1 / (1 + exp(-u))
    return max(0.0, u) ** 2, 2 * max(0.0, u)


@pytest.mark.parametrize("shape", ["softplus", "squared_hinge"])
@pytest.mark.parametrize("in_log_odds", [False, True])
@pytest.mark.parametrize("periods", [1, 3])
def test_the_barrier_and_its_gradient_are_those_written_out(shape, in_log_odds, periods):
    strength, threshold, width = 3.0, 0.1, 0.4
    batch, plain = text(), logits_of(text())
    objective = EnergyBarrier(strength, threshold, width, shape, periods, in_log_odds)
    logits_xtv = logits_of(batch)
    loss = evaluate(objective, batch, logits_xtv)
    entropy = evaluate(CrossEntropy(), batch, plain)
    loss.backward()
    entropy.backward()
    p_xtv = logits_xtv.detach().softmax(dim=-1)
    states, total, slope_xtv = int(batch.text_xt.sum()), 0.0, torch.zeros_like(p_xtv)
    for x, t in batch.text_xt.nonzero().tolist():
        window, p_v = batch.ids_xt[x].tolist(), p_xtv[x, t]
        correct = window[t + 1]
        rivals = [
            window[s]
            for s in range(max(0, t - periods + 1), t + 1)
            if batch.text_xt[x, s] and window[s] != correct
        ]
        rival = max(rivals, key=lambda v: float(p_v[v]), default=correct)
        z_v = logits_xtv.detach()[x, t]
        energy = float(z_v[correct] - z_v[rival] if in_log_odds else p_v[correct] - p_v[rival])
        value, derivative = phi(shape, (threshold - energy) / width)
        total += strength * value / states
        s = strength * derivative / (width * states)
        of_correct, of_rival = (1.0, 1.0) if in_log_odds else (p_v[correct], p_v[rival])
        slope_xtv[x, t, correct] -= s * of_correct
        slope_xtv[x, t, rival] += s * of_rival
        if not in_log_odds:
            slope_xtv[x, t] += s * energy * p_v
    assert loss.item() == pytest.approx(entropy.item() + total, rel=1e-12)
    torch.testing.assert_close(logits_xtv.grad, plain.grad + slope_xtv)


def test_states_without_an_energy_have_no_barrier():
    """And a window without any is cross entropy, not a division by 0."""
    batch = text()
    none = Batch(batch.ids_xt, torch.zeros_like(batch.text_xt))
    entropy = evaluate(CrossEntropy(), batch, logits_of(batch))
    assert evaluate(EnergyBarrier(), none, logits_of(none)).item() == entropy.item()


def test_unlikelihood_is_that_of_a_loop_over_tokens():
    batch, alpha, total = text(), 0.7, 0.0
    p_xtv = logits_of(batch).detach().softmax(dim=-1)
    for x, window in enumerate(batch.ids_xt.tolist()):
        for t in range(len(window) - 1):
            had = {window[s] for s in range(t + 1) if batch.text_xt[x, s]} - {window[t + 1]}
            total -= log(p_xtv[x, t, window[t + 1]])
            total -= alpha * sum(log(1 - float(p_xtv[x, t, v])) for v in had)
    loss = evaluate(Unlikelihood(alpha), batch, logits_of(batch))
    assert loss.item() == pytest.approx(total / batch.text_xt.numel(), rel=1e-12)


def test_the_complement_is_safe_where_a_token_is_certain():
    p = torch.tensor([0.0, 1e-9, 0.5, 1.0], requires_grad=True)
    log_complement(p).sum().backward()
    expected = torch.tensor([0.0, -1e-9, log(0.5), log(LEAST)])
    torch.testing.assert_close(log_complement(p), expected, rtol=1e-2, atol=0.0)
    torch.testing.assert_close(p.grad, torch.tensor([-1.0, -1.0, -2.0, 0.0]))


@pytest.mark.parametrize("recent", [1, 5])
def test_the_contrastive_loss_is_that_of_a_loop_over_tokens(recent):
    batch, strength, total = text(), 2.0, 0.0
    z_xtv = logits_of(batch).detach()
    for x, window in enumerate(batch.ids_xt.tolist()):
        for t in range(len(window) - 1):
            had = {window[s] for s in range(max(0, t - recent + 1), t + 1) if batch.text_xt[x, s]}
            z_v, correct = z_xtv[x, t], window[t + 1]
            total += float(z_v.logsumexp(0) - z_v[correct])
            total += strength * log1p(
                sum(exp(float(z_v[v] - z_v[correct])) for v in had - {correct})
            )
    loss = evaluate(Contrastive(strength, recent), batch, logits_of(batch))
    assert loss.item() == pytest.approx(total / batch.text_xt.numel(), rel=1e-12)


def test_with_the_last_token_alone_it_is_the_barrier_in_logits():
    """But for states whose last token is right, where the barrier has H = 0, a constant."""
    batch = text()
    text_xt = torch.ones_like(batch.text_xt)
    batch = batch._replace(text_xt=text_xt)
    ours, peer = logits_of(batch), logits_of(batch)
    loss = evaluate(Contrastive(recent=1), batch, ours)
    barrier = evaluate(EnergyBarrier(width=1.0, in_log_odds=True), batch, peer)
    right = (batch.correct_xt == batch.last_xt).double().mean()
    assert barrier.item() == pytest.approx(loss.item() + right.item() * log(2), rel=1e-12)
    loss.backward()
    barrier.backward()
    torch.testing.assert_close(ours.grad, peer.grad)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: EnergyBarrier(strength=-1.0), "strength: -1.0"),
        (lambda: EnergyBarrier(width=0.0), "width: 0.0"),
        (lambda: EnergyBarrier(threshold=float("inf")), "threshold: inf"),
        (lambda: EnergyBarrier(shape="hinge"), "shape: 'hinge'"),
        (lambda: EnergyBarrier(periods=0), "periods: 0"),
        (lambda: EnergyBarrier(acts_on="tokens"), "on: 'tokens'"),
        (lambda: EnergyBarrier(prefix=0), "prefix: 0"),
        (lambda: Unlikelihood(strength=-0.5), "strength: -0.5"),
        (lambda: Unlikelihood(written=0), "written: 0"),
        (lambda: Contrastive(recent=0), "recent: 0"),
        (lambda: Contrastive(strength=float("nan")), "strength: nan"),
        (lambda: Ditto(factor=1.5), "factor: 1.5"),
        (lambda: Ditto(shortest=0), "shortest: "),
        (lambda: Ditto(shortest=9, longest=8), "longest: 8"),
    ],
)
def test_parameters_out_of_range_are_refused(make, named):
    with pytest.raises(ValueError, match=named):
        make()
