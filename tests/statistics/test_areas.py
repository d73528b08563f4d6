"""Areas under the ROC curve against closed forms, by brute force, and how often intervals hold."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm, rankdata

from workflow_scripts.semstat.statistics.areas import (
    FOLDS,
    area,
    area_interval,
    gain,
    normal_scores,
)

CONFIDENCE = 0.95
DOCUMENTS, STATES, ANOMALIES = 24, 60, 12


def clustered(rng, shift=1.0, shared=0.5, documents=DOCUMENTS):
    """Unit normals, `shared` of whose variance is a document's; positives are `shift` higher."""
    doc = np.repeat(np.arange(documents), STATES)
    positive = np.tile(np.arange(STATES) < ANOMALIES, documents)
    of_document = rng.normal(size=documents)[doc]
    noise = np.sqrt(shared) * of_document + np.sqrt(1 - shared) * rng.normal(size=len(doc))
    return noise + shift * positive, positive, doc


def test_the_area_of_two_normals_is_its_closed_form():
    for shift in (0.0, 0.5, 1.0, 2.0):
        found = area(*clustered(np.random.default_rng(1), shift, 0.0, documents=2000))
        assert found.value == pytest.approx(ndtr(shift / np.sqrt(2)), abs=0.005)


def test_the_area_is_the_share_of_pairs_and_ties_count_half():
    rng = np.random.default_rng(2)
    score = rng.integers(0, 5, 40).astype(float)
    positive, doc = rng.random(40) < 0.3, rng.integers(0, 4, 40)
    pairs = [np.sign(p - n) / 2 + 0.5 for p in score[positive] for n in score[~positive]]
    assert area(score, positive, doc).value == pytest.approx(np.mean(pairs))
    within = [
        np.sign(score[i] - score[j]) / 2 + 0.5
        for i in np.flatnonzero(positive)
        for j in np.flatnonzero(~positive)
        if doc[i] % 2 == doc[j] % 2
    ]
    assert area(score, positive, doc, doc % 2).value == pytest.approx(np.mean(within))


def test_a_document_moves_the_area_as_leaving_it_out_does():
    score, positive, doc = clustered(np.random.default_rng(3))
    found = area(score, positive, doc)
    left = np.array([area(*(x[doc != d] for x in (score, positive, doc))).value for d in range(24)])
    jackknife = np.sqrt(23 / 24 * np.sum((left - left.mean()) ** 2))
    assert np.linalg.norm(found.moved_d) == pytest.approx(jackknife, rel=0.06)
    assert found.freedom == 23


@pytest.mark.parametrize(("shift", "shared"), [(0.0, 0.5), (1.0, 0.5), (2.5, 0.3)])
def test_intervals_over_documents_hold_the_closed_form(shift, shared):
    held, truth = [], ndtr(shift / np.sqrt(2))  # most pairs are of two documents
    for seed in range(300):
        found = area(*clustered(np.random.default_rng(seed), shift, shared))
        _, low, high = area_interval(found, CONFIDENCE)
        held.append(low <= truth <= high)
    assert 0.91 <= np.mean(held) <= 0.985


def test_states_of_a_document_that_go_together_are_no_independent_ones():
    """Where a document moves its anomalies alone, states as independent ones hold it too seldom."""
    held, naive = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        score, positive, doc = clustered(rng, 1.0, 0.0)
        score = np.where(positive, score + rng.normal(size=DOCUMENTS)[doc], score)
        truth = ndtr(1 / np.sqrt(3))
        for found, docs in ((held, doc), (naive, np.arange(len(doc)))):
            _, low, high = area_interval(area(score, positive, docs), CONFIDENCE)
            found.append(low <= truth <= high)
    assert 0.91 <= np.mean(held) <= 0.98
    assert np.mean(naive) < 0.7


def test_bounds_are_none_where_nothing_scatters_or_there_is_no_pair():
    doc = np.repeat(np.arange(4), 3)
    positive = np.tile([True, False, False], 4)
    value, low, high = area_interval(area(positive.astype(float), positive, doc), CONFIDENCE)
    assert value == 1 and np.isnan([low, high]).all()
    none = area(positive.astype(float), np.zeros(12, bool), doc)
    assert np.isnan(none.value) and np.isnan(area_interval(none, CONFIDENCE)).all()
    one = area(np.arange(12.0), positive, np.zeros(12, int))
    assert np.isnan(one.interval(CONFIDENCE).low)


def test_normal_scores_are_quantiles_of_ranks():
    score = np.random.default_rng(4).integers(0, 30, 100).astype(float)
    expected = norm.ppf((rankdata(score) - 0.5) / 100)
    np.testing.assert_allclose(normal_scores(score), expected)


def two_scores(rng, shift, documents=DOCUMENTS, shared=0.3):
    first, positive, doc = clustered(rng, 1.0, shared, documents)
    noise = np.sqrt(shared) * rng.normal(size=documents)[doc]
    second = noise + np.sqrt(1 - shared) * rng.normal(size=len(doc)) + shift * positive
    return first, second, positive, doc


@pytest.mark.parametrize("sign", [1, -1])
def test_the_gain_is_that_of_the_best_weights(sign):
    """Of independent unit normals: Φ(√(Δ₁² + Δ₂²)/√2) − Φ(Δ₁/√2), whichever way the second goes."""
    first, second, positive, doc = two_scores(np.random.default_rng(5), sign * 1.0, 800, 0.0)
    found = gain(first, second, positive, doc, 2, np.random.default_rng(0))
    assert found.gain.value == pytest.approx(ndtr(1.0) - ndtr(1 / np.sqrt(2)), abs=0.01)
    assert found.null.value == pytest.approx(0, abs=0.002)
    assert found.beyond.value == pytest.approx(found.gain.value - found.null.value)


def test_the_interval_of_a_gain_holds_none_and_a_real_one():
    none, real = [], []
    exact = two_scores(np.random.default_rng(6), 0.7, 2000)
    truth = gain(*exact, 1, np.random.default_rng(0)).beyond.value
    for seed in range(100):
        rng = np.random.default_rng(seed)
        for shift, value, held in ((0.0, 0.0, none), (0.7, truth, real)):
            found = gain(*two_scores(rng, shift), 4, rng)
            beyond = found.beyond.interval(CONFIDENCE)
            held.append((beyond.low <= value <= beyond.high, beyond.value))
    assert abs(np.mean([value for _, value in none])) < 0.001
    assert np.mean([ok for ok, _ in none]) >= 0.91
    assert 0.88 <= np.mean([ok for ok, _ in real]) <= 0.99
    assert np.mean([value for _, value in real]) == pytest.approx(truth, abs=0.01)


def test_a_score_that_repeats_the_first_adds_nothing():
    first, _, positive, doc = two_scores(np.random.default_rng(7), 0.0)
    found = gain(first, np.exp(first), positive, doc, 2, np.random.default_rng(0))
    assert found.gain.value == pytest.approx(0, abs=1e-12)


def test_scores_that_tell_all_states_apart_have_finite_weights():
    doc = np.repeat(np.arange(2 * FOLDS), 5)
    positive = np.tile([True, False, False, False, False], 2 * FOLDS)
    first = positive + np.linspace(0, 0.1, len(doc))
    found = gain(first, -first, positive, doc, 1, np.random.default_rng(0))
    assert found.gain.value == 0 and np.isfinite(found.beyond.value)
