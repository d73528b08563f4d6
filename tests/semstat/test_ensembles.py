"""The null ensembles keep what they promise to keep, and nothing else."""

import numpy as np
import pytest

from workflow_scripts.semstat.ensembles import ENSEMBLES, shuffled, uniform

TOKENS = np.array([7, *np.arange(3000) % 40], dtype=np.int32)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("make", ENSEMBLES.values(), ids=ENSEMBLES)
def test_an_ensemble_keeps_prefix_length_and_type_and_follows_its_seed(make):
    before = TOKENS.copy()
    found = make(TOKENS, 50, rng())
    assert found[0] == 7 and found.shape == TOKENS.shape and found.dtype == np.int32
    np.testing.assert_array_equal(found, make(TOKENS, 50, rng()))
    assert (found != make(TOKENS, 50, rng(1))).mean() > 0.9
    np.testing.assert_array_equal(TOKENS, before)


def test_shuffled_permutes_the_documents_own_tokens():
    found = shuffled(TOKENS, 50, rng())
    np.testing.assert_array_equal(np.sort(found[1:]), np.sort(TOKENS[1:]))
    assert (found != TOKENS).mean() > 0.9


def test_uniform_draws_from_the_whole_vocabulary_alike():
    counts = np.bincount(uniform(TOKENS, 50, rng())[1:], minlength=50)
    assert len(counts) == 50
    chi_squared = ((counts - 60) ** 2 / 60).sum()
    assert abs(chi_squared - 49) < 4 * np.sqrt(2 * 49)


@pytest.mark.parametrize("make", ENSEMBLES.values(), ids=ENSEMBLES)
def test_the_shortest_document_is_fine(make):
    assert len(make(np.array([7, 3], dtype=np.int32), 50, rng())) == 2
