"""How often two ensembles of one distribution are told apart, with documents as they are."""

import numpy as np
import pytest
from scipy.special import ndtr

from workflow_scripts.semstat.comparisons.comparison import distance
from workflow_scripts.semstat.thermodynamics.energy_grid import StateCounts, count_states

EDGES = np.linspace(-1, 1, 41)
SETS = 300
PERMUTATIONS = 199

SPREAD = {"equal": 0.0, "log-normal": 1.3}
"""Standard deviation of the logarithm of a document's length."""

MEAN_LENGTH = 64

NOISE = 3.3 * np.sqrt(0.05 * 0.95 / SETS)
"""Of a share of 0.05: so far off in one of a thousand tests."""


def lengths(documents, spread, rng):
    mean_log = np.log(MEAN_LENGTH) - spread**2 / 2
    return np.maximum(1, np.rint(rng.lognormal(mean_log, spread, documents))).astype(int)


def scores(states_d, rng, correlation=0.1):
    """Standard normal numbers of states, correlated within documents, and whose they are."""
    doc_s = np.repeat(np.arange(len(states_d)), states_d)
    own_s, shared_d = rng.standard_normal(len(doc_s)), rng.standard_normal(len(states_d))
    return np.sqrt(1 - correlation) * own_s + np.sqrt(correlation) * shared_d[doc_s], doc_s


def counted(score_s, doc_s) -> StateCounts:
    return count_states(2 * ndtr(score_s) - 1, doc_s, EDGES)


def levels(pairs, paired):
    """(2,) shares of p ≤ 0.05 of the area and of the largest distance."""
    rng = np.random.default_rng(0)
    p_values = [distance(a, b, EDGES, rng, paired, PERMUTATIONS)[2:] for a, b in pairs]
    return (np.array(p_values) <= 0.05).mean(axis=0)


def independent(documents, spreads, shift=0.0, lowest=0.0):
    """Ensembles alike but for a shift of b, and a share of its states at the lowest energies."""
    rng = np.random.default_rng(1)
    for _ in range(SETS):
        (score_a_s, doc_a_s), (score_b_s, doc_b_s) = (
            scores(lengths(number, SPREAD[spread], rng), rng)
            for number, spread in zip(documents, spreads, strict=True)
        )
        score_b_s = np.where(rng.random(len(score_b_s)) < lowest, -4.0, score_b_s + shift)
        yield counted(score_a_s, doc_a_s), counted(score_b_s, doc_b_s)


def of_the_same_documents(documents, spread):
    """Two layers: half of what moves a state moves it in both."""
    rng = np.random.default_rng(2)
    for _ in range(SETS):
        states_d = lengths(documents, SPREAD[spread], rng)
        (shared_s, doc_s), *own = (scores(states_d, rng) for _ in range(3))
        yield tuple(counted(np.sqrt(0.5) * (shared_s + own_s), doc_s) for own_s, _ in own)


@pytest.mark.parametrize("spreads", [(a, b) for a in SPREAD for b in SPREAD])
@pytest.mark.parametrize("documents", [(8, 8), (64, 8), (256, 16), (400, 8)])
def test_one_distribution_is_told_apart_as_often_as_is_said(documents, spreads):
    """Whatever the ratio of documents, their lengths, and the documents of a block (400 in 256)."""
    assert levels(independent(documents, spreads), False) == pytest.approx(0.05, abs=NOISE)


@pytest.mark.parametrize("spread", SPREAD)
@pytest.mark.parametrize("documents", [8, 16, 64])
def test_pairs_are_told_apart_as_often_as_is_said(documents, spread):
    pairs = of_the_same_documents(documents, spread)
    assert levels(pairs, True) == pytest.approx(0.05, abs=NOISE)


def test_a_shift_is_found():
    """By two standard errors of equal documents' means, and by four."""
    error = np.sqrt((0.1 + 0.9 / MEAN_LENGTH) * 2 / 64)
    for shift, least in ((2 * error, 0.4), (4 * error, 0.9)):
        assert np.all(levels(independent((64, 64), ("equal", "equal"), shift), False) > least)


def test_a_few_states_more_at_the_lowest_energies_are_found():
    pairs = independent((64, 8), ("log-normal", "log-normal"), lowest=0.15)
    assert levels(pairs, False)[1] > 0.5


@pytest.mark.parametrize("paired", [True, False])
def test_ensembles_without_scatter_are_the_same_or_are_not(paired):
    doc_s = np.repeat(np.arange(16), 4)
    a, b = (counted(np.full(len(doc_s), score), doc_s) for score in (0.0, 1.0))
    rng = np.random.default_rng(3)
    assert distance(a, a, EDGES, rng, paired)[:] == (0.0, 0.0, 1.0, 1.0)
    assert distance(a, b, EDGES, rng, paired).area_p < 0.01
