"""Windows that are not text: what the model wrote, and phrases that are repeated."""

from math import exp, log, log1p

import pytest
import torch

from tests.training.windows import evaluate, logits_of, text, write
from workflow_scripts.semstat.training.cross_entropy import CrossEntropy
from workflow_scripts.semstat.training.ditto import Ditto
from workflow_scripts.semstat.training.energy_barrier import EnergyBarrier
from workflow_scripts.semstat.training.objective import Batch
from workflow_scripts.semstat.training.unlikelihood import Unlikelihood

PREFIX, WRITTEN = 5, 15


def continued(objective) -> Batch:
    return objective.rewrite(text().ids_xt, write)


def marked(batch: Batch) -> list[tuple[int, int]]:
    """Written tokens that complete a 4-gram which is there already, by search: (window, state)."""
    found = []
    for x, window in enumerate(batch.ids_xt.tolist()):
        seen = set()
        for place in range(3, len(window)):
            four = tuple(window[place - 3 : place + 1])
            if four in seen and place >= PREFIX:
                found.append((x, place - 1))
            seen.add(four)
    return found


def test_what_the_model_repeats_is_marked():
    batch = continued(Unlikelihood(acts_on="both", prefix=PREFIX, written=WRITTEN))
    assert batch.ids_xt.shape == (3, PREFIX + WRITTEN)
    assert torch.equal(batch.ids_xt[:, :PREFIX], text().ids_xt[:, :PREFIX])
    assert batch.marked_xt.nonzero().tolist() == [list(place) for place in marked(batch)]
    assert batch.marked_xt.any()


def test_a_prefix_that_repeats_itself_is_not_marked():
    """But a written token may complete what stands in the prefix."""
    ids_xt = torch.tensor([[1, 2, 3, 4, 5, 1, 2, 3, 4, 1, 2, 3]])
    batch = Unlikelihood(acts_on="both", prefix=12, written=3).rewrite(
        ids_xt, lambda ids_xt, tokens: (torch.tensor([[4, 5, 6]]), torch.tensor([[0, 0, 0]]))
    )
    assert batch.marked_xt.nonzero().tolist() == [[0, 11], [0, 12]]
    assert batch.second_xt[0, 11:].tolist() == [0, 0, 0]


def test_unlikelihood_of_what_is_written_is_that_of_a_loop():
    objective = Unlikelihood(0.7, acts_on="both", prefix=PREFIX, written=WRITTEN)
    batch = continued(objective)
    p_xtv = logits_of(batch).detach().softmax(dim=-1)
    total = sum(-log(1 - float(p_xtv[x, t, batch.correct_xt[x, t]])) for x, t in marked(batch))
    loss = evaluate(objective, batch, logits_of(batch)).item()
    assert loss == pytest.approx(0.7 * total / (3 * WRITTEN), rel=1e-12)


def test_the_barrier_stands_between_the_written_token_and_the_runner_up():
    objective = EnergyBarrier(
        2.0, 0.1, 0.5, acts_on="continuations", prefix=PREFIX, written=WRITTEN
    )
    batch = continued(objective)
    p_xtv = logits_of(batch).detach().softmax(dim=-1)
    total = 0.0
    for x, t in marked(batch):
        energy = p_xtv[x, t, batch.second_xt[x, t]] - p_xtv[x, t, batch.correct_xt[x, t]]
        total += log1p(exp((0.1 - float(energy)) / 0.5))
    loss = evaluate(objective, batch, logits_of(batch)).item()
    assert loss == pytest.approx(2.0 * total / (3 * WRITTEN), rel=1e-12)


def test_where_nothing_is_repeated_there_is_no_gradient():
    objective = EnergyBarrier(acts_on="both", prefix=4, written=3)
    batch = objective.rewrite(torch.tensor([[0, 1, 2, 3, 4]]), write)
    logits_xtv = logits_of(batch)
    loss = evaluate(objective, batch, logits_xtv)
    loss.backward()
    assert loss.item() == 0.0
    assert not logits_xtv.grad.any()


def test_windows_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="windows of 15 tokens have no prefix of 50"):
        EnergyBarrier(acts_on="both").rewrite(text().ids_xt, write)
    with pytest.raises(ValueError, match="don't hold a phrase of 32 twice"):
        Ditto().rewrite(text().ids_xt, write)


def test_a_phrase_fills_the_window():
    ids_xt = torch.arange(8 * 41).view(8, 41)
    batch = Ditto(shortest=3, longest=9).rewrite(ids_xt, write)
    lengths = set()
    for given, window, marked_t in zip(ids_xt, batch.ids_xt, batch.marked_xt, strict=True):
        length = len(set(window.tolist()))
        first = int(window[0] - given[0])
        phrase = given[first : first + length].tolist()
        assert window.tolist() == (phrase * 41)[:41]
        assert marked_t.tolist() == [t >= length for t in range(40)]
        lengths.add(length)
    assert lengths <= set(range(3, 10))
    assert len(lengths) > 3


def test_a_window_gets_the_same_phrase_whatever_stands_beside_it():
    """So that a training which is resumed, or split otherwise, sees the same."""
    ids_xt = text(8, 40).ids_xt
    objective = Ditto(shortest=2, longest=9)
    all_xt = objective.rewrite(ids_xt, write).ids_xt
    assert torch.equal(objective.rewrite(ids_xt[3:5], write).ids_xt, all_xt[3:5])
    assert not torch.equal(objective.rewrite(text(8, 40, seed=1).ids_xt, write).ids_xt, all_xt)


def test_ditto_is_that_of_a_loop_over_copies():
    factor = 0.4
    objective = Ditto(factor, shortest=2, longest=5)
    batch = objective.rewrite(text(4, 21).ids_xt, write)
    ours, loops = logits_of(batch), logits_of(batch)
    loss = evaluate(objective, batch, ours)
    p_xtv = loops.softmax(dim=-1)
    terms = []
    for x, window in enumerate(batch.ids_xt.tolist()):
        length = int((~batch.marked_xt[x]).sum())
        for t in range(length, len(window) - 1):
            now, before = p_xtv[x, t, window[t + 1]], p_xtv[x, t - length, window[t + 1]]
            terms.append(-(1 - (now - factor * before.detach()).abs()).log())
    of_loop = torch.stack(terms).mean()
    torch.testing.assert_close(loss, of_loop)
    loss.backward()
    of_loop.backward()
    torch.testing.assert_close(ours.grad, loops.grad)


def test_rewriting_is_for_those_that_learn_from_it():
    with pytest.raises(NotImplementedError, match="CrossEntropy learns from text alone"):
        CrossEntropy().rewrite(text().ids_xt, write)
