"""The ensembles keep what they promise to keep, and nothing else."""

from importlib import import_module

import numpy as np
import pytest

from workflow_scripts.semstat.tokens.repeated import repeated, unit_of_sentence, unit_of_tokens
from workflow_scripts.semstat.tokens.shuffled import shuffled
from workflow_scripts.semstat.tokens.uniform import uniform

TOKENS = np.array([7, *np.arange(3000) % 40], dtype=np.int32)
FULL_STOP = 9
VOCABULARY = 50
ORDINARY = np.ones(VOCABULARY, dtype=np.bool_)


def rng(seed=0):
    return np.random.default_rng(seed)


def repeat(tokens, prefix_tokens, unit_tokens, copies):
    tokens_t = np.array(tokens, dtype=np.int32)
    if unit_tokens is None:
        unit = unit_of_sentence(tokens_t, prefix_tokens, tokens_t == FULL_STOP)
    else:
        unit = unit_of_tokens(tokens_t, prefix_tokens, unit_tokens)
    return repeated(tokens_t, unit, copies).tolist()


def uniform_of_50(tokens_t, generator):
    return uniform(tokens_t, ORDINARY, generator)


@pytest.mark.parametrize("make", [shuffled, uniform_of_50])
def test_a_null_ensemble_keeps_prefix_length_and_type_and_follows_its_seed(make):
    before = TOKENS.copy()
    found = make(TOKENS, rng())
    assert found[0] == 7 and found.shape == TOKENS.shape and found.dtype == np.int32
    np.testing.assert_array_equal(found, make(TOKENS, rng()))
    assert (found != make(TOKENS, rng(1))).mean() > 0.9
    np.testing.assert_array_equal(TOKENS, before)


def test_shuffled_permutes_the_documents_own_tokens():
    found = shuffled(TOKENS, rng())
    np.testing.assert_array_equal(np.sort(found[1:]), np.sort(TOKENS[1:]))
    assert (found != TOKENS).mean() > 0.9


def test_uniform_draws_from_the_whole_vocabulary_alike():
    counts = np.bincount(uniform(TOKENS, ORDINARY, rng())[1:], minlength=VOCABULARY)
    assert len(counts) == 50
    chi_squared = ((counts - 60) ** 2 / 60).sum()
    assert abs(chi_squared - 49) < 4 * np.sqrt(2 * 49)


def test_uniform_draws_ordinary_tokens_only_and_alike():
    """Where a token is drawn that may not be, it is drawn again; the others stay as they are."""
    ordinary = ORDINARY.copy()
    ordinary[[0, 17, 48, 49]] = False
    before, found = (uniform(TOKENS, may, rng())[1:] for may in (ORDINARY, ordinary))
    np.testing.assert_array_equal(found[ordinary[before]], before[ordinary[before]])
    counts = np.bincount(found, minlength=VOCABULARY)
    assert not counts[~ordinary].any()
    expected = len(found) / 46
    chi_squared = ((counts[ordinary] - expected) ** 2 / expected).sum()
    assert abs(chi_squared - 45) < 4 * np.sqrt(2 * 45)


@pytest.mark.parametrize("make", [shuffled, uniform_of_50])
def test_the_shortest_document_is_fine(make):
    assert len(make(np.array([7, 3], dtype=np.int32), rng())) == 2


@pytest.mark.parametrize(
    ("prefix_tokens", "unit_tokens", "copies", "expected"),
    [
        (0, 1, 1, [7, 1, 2]),
        (0, 1, 3, [7, 1, 1, 1, 2]),
        (2, 1, 2, [7, 1, 2, 3, 3, 4]),
        (2, 3, 2, [7, 1, 2, 3, 4, 9, 3, 4, 9, 5]),
        (0, None, 2, [7, 1, 2, 3, 4, 9, 1, 2, 3, 4, 9, 5]),  # from the document's first token
        (1, None, 1, [7, 1, 2, 3, 4, 9, 5, 6, 9, 8]),  # its sentence first comes to an end
        (1, None, 3, [7, 1, 2, 3, 4, 9, *[5, 6, 9] * 3, 8]),
        (5, None, 2, [7, 1, 2, 3, 4, 9, *[5, 6, 9] * 2, 8]),  # it has just ended
    ],
)
def test_a_unit_is_repeated_between_its_text_and_what_follows(
    prefix_tokens, unit_tokens, copies, expected
):
    tokens = [7, 1, 2, 3, 4, FULL_STOP, 5, 6, FULL_STOP, 8]
    assert repeat(tokens, prefix_tokens, unit_tokens, copies) == expected


@pytest.mark.parametrize(
    ("prefix_tokens", "unit_tokens", "unit"),
    [(0, 2, "unit of 2 tokens"), (1, 1, "unit of 1 tokens"), (0, None, "sentence"), (2, None, "s")],
)
def test_a_document_too_short_to_go_on_after_its_unit_is_refused(prefix_tokens, unit_tokens, unit):
    with pytest.raises(ValueError, match=rf"^ends \(2 tokens\) before a whole {unit}.* and one "):
        repeat([7, 1, FULL_STOP], prefix_tokens, unit_tokens, 1)


@pytest.mark.parametrize("name", ["shuffled", "uniform", "repeated"])
def test_every_ensemble_has_its_name(name):
    module = import_module(f"workflow_scripts.semstat.tokens.{name}")
    assert getattr(module, name).__name__ == name
