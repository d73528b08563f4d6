"""Averages over documents, and whether the nulls hold what they promise."""

import numpy as np
import pytest
from scipy.signal import lfilter

from tests.mechanics.test_numbers import HIDDEN, document, member
from workflow_scripts.semstat.mechanics.conservation import describe
from workflow_scripts.semstat.mechanics.numbers import document_numbers
from workflow_scripts.semstat.mechanics.sums import Sums, from_table, merge, sums_table
from workflow_scripts.semstat.mechanics.tables import MECHANICS_NUMBERS
from workflow_scripts.semstat.mechanics.terms import MEMBERS
from workflow_scripts.semstat.statistics.block_errors import ErrorBars, Estimate

KEY = (4, "before_norm")


def summed(documents):
    sums = Sums()
    for column in documents:
        sums.add(document_numbers(column, "before_norm", HIDDEN))
    return sums


def row_of(rows, form="energy", kinetic="log_half_square", potential="surprisal"):
    wanted = {"form": form, "kinetic": kinetic, "potential": potential}
    [row] = [row for row in rows if wanted.items() <= row.items()]
    return row


def correlated(rng, memory, length=80):
    """A stationary Gaussian series whose correlation falls by `memory` a step."""
    noise = rng.standard_normal(length + 200)
    return lfilter([1.0], [1.0, -memory], noise)[200:]


def independent_documents(rng, memory, documents=6):
    """Kinetic and potential terms that know nothing of each other."""
    for _ in range(documents):
        kinetic_t, surprisal_t = (correlated(rng, memory) for _ in range(2))
        yield document(
            states=len(kinetic_t) - 2,
            speed=np.exp(kinetic_t / 2),
            log_p_correct=-(12 + surprisal_t),
            entropy=rng.uniform(1, 2, len(kinetic_t)),
            shuffled_speed=np.exp(rng.permutation(kinetic_t) / 2),
        )


@pytest.fixture(scope="module")
def documents():
    return [document(states=20 + seed, seed=seed) for seed in range(7)] + [document(states=1)]


def test_shards_merge_to_what_all_documents_give_at_once(documents):
    parts = [summed(documents[:3]), summed(documents[3:]), summed(documents[-1:])]
    tables = [sums_table({KEY: part}) for part in parts]
    merged = merge(map(from_table, tables))
    assert list(merged) == [KEY]
    whole = summed(documents)
    assert (merged[KEY].documents, merged[KEY].left_out) == (7, 2)
    for name, value in whole.total.items():
        np.testing.assert_allclose(merged[KEY].total[name], value)
    for name, value in whole.squares.items():
        np.testing.assert_allclose(merged[KEY].squares[name], value)


def test_averages_and_intervals_are_students_over_documents(documents):
    rows = describe(summed(documents), 0.9)
    numbers = [document_numbers(column, "before_norm", HIDDEN) for column in documents[:-1]]
    bars = ErrorBars.pointwise(6, 0.9)
    for row in rows:
        at = member(row["form"], row["kinetic"], row["potential"])
        assert (row["documents"], row["left_out"]) == (7, 1)
        for name in MECHANICS_NUMBERS:
            value_d = np.array([of[name][at] for of in numbers])
            error = value_d.std(ddof=1) / 7**0.5
            wanted = bars(Estimate(value_d.mean(keepdims=True), np.array([[error]])))
            found = row[name], row[f"{name}_low"], row[f"{name}_high"]
            np.testing.assert_allclose(found, [part[0] for part in wanted[:3]], rtol=1e-6)


def test_every_combination_has_a_row_but_the_logarithm_of_what_may_be_negative(documents):
    rows = describe(summed(documents), 0.95)
    found = {(row["form"], row["kinetic"], row["potential"]) for row in rows}
    assert set(MEMBERS) - found == {
        of for of in MEMBERS if of[0] == "log_energy" and of[1].startswith("log")
    }


def test_what_compensates_is_called_conserved_and_its_lagrangian_is_not():
    rng = np.random.default_rng(0)
    columns = []
    for seed in range(12):
        column = document(seed=seed)
        kinetic_t = 7 + column["log_p_correct"].astype(float) + rng.normal(0, 1, 42)
        columns.append(column | {"speed": np.sqrt(2 * np.exp(kinetic_t))})
    rows = describe(summed(columns), 0.95)
    conserved, lagrangian = row_of(rows), row_of(rows, form="lagrangian")
    assert conserved["conserved"] and conserved["variance_ratio_high"] < 0.6
    assert conserved["below_embedding"] is None, "layer 0 was not measured"
    assert not lagrangian["conserved"]
    assert row_of(rows, "log_energy", "half_square")["conserved"] is None


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_terms_that_know_nothing_of_each_other_stay_within_the_nulls(memory):
    """Of 60 ensembles 5% may lie outside; more than 10 would have a chance below 1e-3.

    Shuffling breaks the memory along each term as well, and is too narrow where there is one.
    """
    rng = np.random.default_rng(1)
    rows = [row_of(describe(summed(independent_documents(rng, memory)), 0.95)) for _ in range(60)]
    outside = {
        null: sum(not r[f"{null}_low"] <= r["variance_ratio"] <= r[f"{null}_high"] for r in rows)
        for null in ("shuffled", "shifted")
    }
    assert outside["shifted"] <= 10
    assert outside["shuffled"] > 20 if memory else outside["shuffled"] <= 10


def test_one_document_is_too_few(documents):
    with pytest.raises(ValueError, match="at least two"):
        describe(summed(documents[:1]), 0.95)
