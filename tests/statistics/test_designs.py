"""Documents of the simulations: their lengths, their correlation and their kinds."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from benchmarks.designs import SPREAD, Design, counted, summed
from benchmarks.roles import named
from benchmarks.systems import as_system
from workflow_scripts.semstat.statistics.closed_forms import uniform
from workflow_scripts.semstat.thermodynamics.energy_grid import energy_edges

KINDS = named("three kinds")[1]


def rng():
    return np.random.default_rng(0)


def correlation_of_pairs(design: Design, system) -> float:
    """Of the normals of two states of a document."""
    pairs = replace(design, documents=20_000, length=2, spread=0.0).sample(system, rng())
    normal = special.ndtri(system.volume(pairs.energy_s)).reshape(-1, 2)
    return float(np.corrcoef(normal.T)[0, 1])


def test_lengths_are_equal_or_log_normal():
    np.testing.assert_array_equal(Design(5).lengths(rng()), 64)
    length_d = Design(40_000, SPREAD).lengths(rng())
    assert length_d.min() == 1
    assert length_d.mean() == pytest.approx(64, rel=0.05)
    assert np.log(length_d[length_d > 5]).max() < np.log(64) + 6 * SPREAD
    assert np.median(length_d) == pytest.approx(64 * np.exp(-(SPREAD**2) / 2), rel=0.05)


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.4])
def test_states_of_a_document_are_correlated_as_asked(correlation):
    found = correlation_of_pairs(Design(1, correlation=correlation), as_system(uniform()))
    assert found == pytest.approx(correlation, abs=0.03)


@pytest.mark.parametrize(
    "design", [Design(3000), Design(3000, SPREAD, 0.4), Design(3000, kinds=0.3)]
)
def test_whatever_the_documents_the_system_is_the_truth(design):
    sample = replace(design, length=20).sample(KINDS, rng())
    at = KINDS.quantile(np.linspace(0.05, 0.95, 10))
    found = np.mean(sample.energy_s[:, None] <= at, axis=0)
    np.testing.assert_allclose(found, KINDS.volume(at), atol=0.04)


def test_documents_of_different_kinds_differ_more():
    alike = correlation_of_pairs(Design(1, correlation=0.1), KINDS)
    assert correlation_of_pairs(Design(1, correlation=0.1, kinds=0.3), KINDS) > alike + 0.05
    with pytest.raises(ValueError, match="no parts"):
        Design(3, kinds=0.3).sample(as_system(uniform()), rng())


def test_documents_do_the_same_to_layers_of_one_sample():
    a, b = Design(4000, SPREAD, 0.4, length=1).samples([KINDS, as_system(uniform())], rng())
    np.testing.assert_array_equal(a.doc_s, b.doc_s)
    of_a, of_b = (special.ndtri(s.volume(x.energy_s)) for s, x in zip(
        [KINDS, as_system(uniform())], (a, b), strict=True))  # fmt: skip
    assert np.corrcoef(of_a, of_b)[0, 1] == pytest.approx(0.4, abs=0.06)


def test_a_shift_moves_the_normals():
    sample = Design(2000, correlation=0.0, length=5).sample(KINDS, rng(), shift=0.3)
    assert special.ndtri(KINDS.volume(sample.energy_s)).mean() == pytest.approx(0.3, abs=0.05)


def test_what_states_are_worth():
    assert Design(100, correlation=0.0).worth(KINDS) == pytest.approx(6400)
    assert Design(100, length=1).worth(KINDS) == pytest.approx(100)
    assert 10 < Design(10, SPREAD, 0.4).worth(KINDS) < Design(10, 0.0, 0.4).worth(KINDS)


@pytest.mark.parametrize("design", [Design(1), Design(1, correlation=0.4), Design(1, kinds=0.3)])
def test_states_of_a_document_are_as_alike_as_their_pairs(design):
    """r = 1 − 3 ⟨|Ω(H) − Ω(H′)|⟩ of two states of a document, where Ω is continuous."""
    pairs = replace(design, documents=40_000, length=2).sample(KINDS, rng())
    one_d, two_d = KINDS.volume(pairs.energy_s).reshape(-1, 2).T
    assert design.alike(KINDS) == pytest.approx(1 - 3 * np.abs(one_d - two_d).mean(), abs=0.01)


def test_the_correlation_of_a_copula_is_that_of_the_textbooks():
    """Pr[both below an independent third normal] is an orthant's: 1/4 + asin((1 + ρ)/2)/2π."""
    of_orthant = 3 * np.arcsin(0.7) / np.pi - 0.5
    assert Design(1, correlation=0.4).alike(KINDS) == pytest.approx(of_orthant, abs=1e-4)


def test_counts_and_sums_are_of_all_states():
    sample, edges_e = Design(16, SPREAD).sample(KINDS, rng()), energy_edges()
    states = len(sample.energy_s)
    assert counted(sample, edges_e).counts_be.sum() == states
    sums = summed(sample, -0.5, edges_e)
    assert sums.states_b.sum() == states
    assert sums.stutters_b.sum() == np.sum(sample.energy_s <= -0.5)
