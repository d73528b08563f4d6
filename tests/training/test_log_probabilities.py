"""ln p of wanted tokens: values, gradients, and that nothing as large as the logits is made."""

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from tests.training.windows import OBJECTIVES, VOCABULARY, batches, logits_of, text
from workflow_scripts.semstat.training import log_probabilities as module
from workflow_scripts.semstat.training.cross_entropy import CrossEntropy
from workflow_scripts.semstat.training.log_probabilities import log_probabilities


@pytest.fixture(autouse=True, params=[VOCABULARY, 5 * VOCABULARY, 1 << 20])
def slices(request, monkeypatch):
    """One state at once, five (which leaves a rest), or all."""
    monkeypatch.setitem(module.SLICE, "cpu", request.param)


def test_values_and_gradients_are_those_of_log_softmax():
    batch = text()
    wanted_xtm = torch.stack([batch.correct_xt, batch.last_xt, batch.correct_xt], dim=-1)
    ours, peer = logits_of(batch), logits_of(batch)
    log_p_xtm = log_probabilities(ours, wanted_xtm)
    of_peer_xtm = peer.log_softmax(dim=-1).gather(-1, wanted_xtm)
    torch.testing.assert_close(log_p_xtm, of_peer_xtm)
    weight_xtm = torch.linspace(-1, 2, log_p_xtm.numel(), dtype=torch.float64).view_as(log_p_xtm)
    (weight_xtm * log_p_xtm).sum().backward()
    (weight_xtm * of_peer_xtm).sum().backward()
    torch.testing.assert_close(ours.grad, peer.grad)


def test_gradients_are_those_of_finite_differences():
    batch = text(2, 5)
    wanted_xtm = torch.stack([batch.correct_xt, batch.last_xt], dim=-1)
    assert torch.autograd.gradcheck(lambda z: log_probabilities(z, wanted_xtm), logits_of(batch))


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_in_half_precision_only_the_last_step_is_rounded(precision):
    batch = text()
    wanted_xtm = torch.stack([batch.correct_xt, batch.last_xt], dim=-1)
    half = logits_of(batch).detach().to(precision).requires_grad_()
    full = half.detach().float().requires_grad_()
    log_p_xtm = log_probabilities(half, wanted_xtm)
    assert log_p_xtm.dtype == torch.float32
    torch.testing.assert_close(log_p_xtm, log_probabilities(full, wanted_xtm))
    for logits_xtv in (half, full):
        (log_probabilities(logits_xtv, wanted_xtm) ** 2).sum().backward()
    assert half.grad.dtype == precision
    assert torch.equal(half.grad, full.grad.to(precision))


def test_large_logits_do_no_harm():
    logits_xtv = torch.tensor([[[1e4, -1e4, 0.0]]], requires_grad=True)
    log_p_xtm = log_probabilities(logits_xtv, torch.tensor([[[0, 1]]]))
    assert log_p_xtm.tolist() == [[[0.0, -2e4]]]
    log_p_xtm.sum().backward()
    assert logits_xtv.grad.tolist() == [[[-1.0, 1.0, 0.0]]]


def test_logits_that_would_be_copied_are_refused():
    with pytest.raises(ValueError, match="not contiguous"):
        log_probabilities(torch.zeros(2, 4, 3)[:, :-1], torch.zeros(2, 3, 1, dtype=torch.int64))


class Large(TorchDispatchMode):
    """Counts the memory of new tensors with at least so many numbers."""

    def __init__(self, least: int, given: torch.Tensor) -> None:
        super().__init__()
        self.least, self.known = least, {given.untyped_storage().data_ptr()}
        self.kept, self.count = [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, (tuple, list)) else [made]:
            if not isinstance(tensor, torch.Tensor):
                continue
            place = tensor.untyped_storage()
            if place.nbytes() >= self.least and place.data_ptr() not in self.known:
                self.known.add(place.data_ptr())
                self.kept.append(tensor)  # so that its place is not given to another
                self.count += 1
        return made


def count_large(loss, logits_xtv):
    """Tensors as large as the logits that are made on the way forward, and on the way back."""
    with Large(logits_xtv.nbytes, logits_xtv) as forward:
        scalar = loss(logits_xtv)
    with Large(logits_xtv.nbytes, logits_xtv) as backward:
        torch.autograd.grad(scalar, logits_xtv)
    return forward.count, backward.count


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_one_tensor_is_as_large_as_the_logits(objective, monkeypatch):
    monkeypatch.setitem(module.SLICE, "cpu", 1000)
    for batch in batches(objective):
        shape = (*batch.correct_xt.shape, 1000)
        logits_xtv = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        wanted_xtm = objective.wanted(batch)

        def loss(logits_xtv, wanted_xtm=wanted_xtm, batch=batch):
            return objective.loss(batch, log_probabilities(logits_xtv, wanted_xtm))

        assert count_large(loss, logits_xtv.requires_grad_()) == (0, 1)


def test_the_plain_way_makes_more():
    """So that the count is known to count."""
    batch = text()
    shape = (*batch.correct_xt.shape, 1000)

    def plain(logits_xtv):
        return cross_entropy(logits_xtv.flatten(0, 1), batch.correct_xt.flatten())

    forward, backward = count_large(plain, torch.randn(shape).requires_grad_())
    assert forward >= 1
    assert backward >= 2


def test_cross_entropy_is_torchs():
    batch = text()
    ours, peer = logits_of(batch), logits_of(batch)
    objective = CrossEntropy()
    loss = objective.loss(batch, log_probabilities(ours, objective.wanted(batch)))
    of_peer = cross_entropy(peer.flatten(0, 1), batch.correct_xt.flatten())
    torch.testing.assert_close(loss, of_peer)
    loss.backward()
    of_peer.backward()
    torch.testing.assert_close(ours.grad, peer.grad)
