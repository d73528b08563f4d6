"""Rank correlations against closed forms: their values, their intervals, and their nulls."""

import numpy as np
import pytest
from scipy import stats

from workflow_scripts.semstat.attention.association import associate

DOCUMENTS, STATES = 24, 40

# Outcome, measure, and two covariates on which both hang.
CORRELATION = np.array(
    [[1.0, 0.3, 0.5, 0.0], [0.3, 1.0, 0.4, 0.2], [0.5, 0.4, 1.0, 0.1], [0.0, 0.2, 0.1, 1.0]]
)


def partial(covariance, first, second):
    inverse = np.linalg.inv(covariance)
    return -inverse[first, second] / np.sqrt(inverse[first, first] * inverse[second, second])


def of_ranks(correlation):
    """Spearman's of normal variables (Pearson 1907)."""
    return 6 / np.pi * np.arcsin(correlation / 2)


def drawn(rng, correlation=CORRELATION, shared=0.3, lag=0.5, documents=DOCUMENTS):
    """(variables, states) normal ones: correlated with each other, in documents, and in time."""
    root = np.linalg.cholesky(correlation)
    lengths = rng.integers(STATES // 2, 3 * STATES // 2, documents)
    pieces = []
    for length in lengths:
        own = rng.standard_normal((len(correlation), length))
        for t in range(1, length):
            own[:, t] = lag * own[:, t - 1] + np.sqrt(1 - lag**2) * own[:, t]
        common = rng.standard_normal((len(correlation), 1))
        pieces.append(root @ (np.sqrt(shared) * common + np.sqrt(1 - shared) * own))
    doc_s = np.repeat(np.arange(documents), lengths)
    return np.hstack(pieces), doc_s


def found(value_zs, doc_s, rng, draws=2, **options):
    parts = value_zs[:1], value_zs[1:2], value_zs[2:]
    return associate(*parts, doc_s, doc_s, draws, rng, **options)


def test_correlations_are_those_of_ranks_and_of_their_residuals():
    value_zs, doc_s = drawn(np.random.default_rng(0))
    value_zs = np.round(value_zs, 1)  # ties
    one = found(value_zs, doc_s, np.random.default_rng(0))
    rank_zs = np.array([stats.rankdata(value_s) for value_s in value_zs])
    assert one.plain.value == pytest.approx(stats.spearmanr(*value_zs[:2]).statistic)
    design = np.column_stack([np.ones(len(doc_s)), *rank_zs[2:]])
    residual_zs = [y - design @ np.linalg.lstsq(design, y, rcond=None)[0] for y in rank_zs[:2]]
    assert one.partial.value == pytest.approx(np.corrcoef(*residual_zs)[0, 1])


def test_intervals_hold_the_closed_form_as_often_as_they_say():
    rng = np.random.default_rng(1)
    truth = of_ranks(CORRELATION)
    expected = {"plain": truth[0, 1], "partial": partial(truth, 0, 1)}
    assert expected["partial"] < expected["plain"] - 0.1, "the covariates matter"
    held = dict.fromkeys(expected, 0)
    times = 250
    for _ in range(times):
        one = found(*drawn(rng), rng)
        for name, value in expected.items():
            curve = getattr(one, name)
            held[name] += bool(curve.low[0, 0] <= value <= curve.high[0, 0])
    for name, times_held in held.items():
        assert 0.91 <= times_held / times <= 0.985, (name, times_held / times)


def test_of_an_outcome_that_is_true_or_false_the_closed_form_holds():
    rng = np.random.default_rng(2)
    correlation = np.array([[1.0, 0.5], [0.5, 1.0]])
    cut = -1.0
    # P[X < c, Z < Y] with Z like Y and independent of all.
    joint = stats.multivariate_normal(cov=[[1, -0.5 / np.sqrt(2)], [-0.5 / np.sqrt(2), 1]])
    below = stats.norm.cdf(cut)
    covariance = joint.cdf([cut, 0.0]) - below / 2
    expected = covariance / np.sqrt(below * (1 - below) / 12)
    held = 0
    for _ in range(100):
        value_zs, doc_s = drawn(rng, correlation)
        value_zs[0] = value_zs[0] < cut
        one = found(value_zs, doc_s, rng)
        held += bool(one.plain.low[0, 0] <= expected <= one.plain.high[0, 0])
        assert one.partial.value == pytest.approx(one.plain.value), "nothing is given"
    assert held >= 88, held


def test_a_shift_is_calibrated_where_neighbours_are_alike_and_a_shuffle_where_they_are_not():
    rng = np.random.default_rng(3)
    independent = np.eye(3)
    rejected = {}
    for lag in (0.0, 0.9):
        p = {"shuffled": [], "shifted": []}
        for _ in range(150):
            value_zs, doc_s = drawn(rng, independent, shared=0.0, lag=lag)
            one = found(value_zs, doc_s, rng, draws=60)
            for name in p:
                p[name].append(one.nulls[name].p[0, 0])
        rejected[lag] = {name: np.mean(np.array(values) <= 0.1) for name, values in p.items()}
    for name in ("shuffled", "shifted"):
        assert 0.04 <= rejected[0.0][name] <= 0.17, rejected
    assert 0.04 <= rejected[0.9]["shifted"] <= 0.19, rejected
    assert rejected[0.9]["shuffled"] > 0.35, rejected


def test_what_documents_share_stays_in_the_nulls():
    rng = np.random.default_rng(4)
    value_zs, doc_s = drawn(rng, np.array([[1, 0.8], [0.8, 1]]), shared=0.6, lag=0.0)
    one = found(value_zs, doc_s, rng, draws=100)
    for null in one.nulls.values():
        assert null.low[0, 0] > 0.1 and null.high[0, 0] < one.partial.value[0, 0]
        assert null.p[0, 0] == pytest.approx(1 / 101)


def test_what_is_constant_has_no_correlation_and_what_is_so_in_documents_no_null():
    rng = np.random.default_rng(5)
    value_zs, doc_s = drawn(rng)
    same_zs = np.vstack([value_zs[:1], np.full((1, len(doc_s)), 7.0), value_zs[2:]])
    one = found(same_zs, doc_s, rng)
    assert np.isnan(one.plain.value).all() and np.isnan(one.partial.low).all()
    assert np.isnan(one.nulls["shifted"].p).all()
    of_document_zs = np.vstack([value_zs[:1], rng.standard_normal(DOCUMENTS)[None, doc_s]])
    one = found(of_document_zs, doc_s, rng)
    assert np.isfinite([*one.plain[:3], *one.partial[:3]]).all()
    assert np.isnan(one.nulls["shuffled"].mean).all() and np.isnan(one.nulls["shifted"].p).all()
    constant_zs = np.vstack([value_zs[:2], np.zeros((1, len(doc_s)))])
    assert found(constant_zs, doc_s, rng).partial.value == pytest.approx(
        stats.spearmanr(*value_zs[:2]).statistic
    )


def test_one_block_of_documents_is_refused():
    value_zs, _ = drawn(np.random.default_rng(6))
    doc_s = np.zeros(value_zs.shape[1], dtype=int)
    with pytest.raises(ValueError, match="all states are in one block of documents"):
        found(value_zs, doc_s, np.random.default_rng(0))
