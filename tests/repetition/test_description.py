"""The table of a repetition against sums over documents written out."""

import numpy as np
import pytest
from scipy import stats

from workflow_scripts.semstat.repetition.description import describe_repetition
from workflow_scripts.semstat.repetition.tables import REPETITION_NUMBERS

DOCUMENTS, PREFIX = 12, 5


def made(copies, rng, documents=range(DOCUMENTS)):
    """Energies of documents whose unit is 1 to 3 tokens long, as a model could have measured them.

    Where documents with more copies have read the same tokens, p(last) is the same.
    """
    rows = []
    for doc in documents:
        states = PREFIX + copies * (1 + doc % 3) + 1
        p = np.random.default_rng([doc, 1]).uniform(0.01, 0.4, 1000)[:states]
        correct = np.random.default_rng([doc, 2]).uniform(0.01, 0.5, 1000)[:states]
        correct[-1] = rng.uniform(0.01, 0.5)  # of the continuation, not of the copy
        columns = {"log_p_last": np.log(p), "log_p_correct": np.log(correct), "energy": correct - p}
        rows += [
            {"doc": doc, "position": t} | {name: float(x[t]) for name, x in columns.items()}
            for t in range(1, states)
        ]
    kinds = {"doc": np.int32, "position": np.int32}
    return {
        name: np.array([row[name] for row in rows], dtype=kinds.get(name, np.float32))
        for name in rows[0]
    }


@pytest.fixture
def columns_n():
    rng = np.random.default_rng(0)
    return {copies: made(copies, rng) for copies in (4, 1, 2)}


def test_the_table_is_what_sums_over_documents_give(columns_n):
    rows = describe_repetition(columns_n, 0.9)
    assert [row["copies"] for row in rows] == [1, 2, 4]
    for row in rows:
        column = columns_n[row["copies"]]
        of_documents = {name: [] for name in REPETITION_NUMBERS}
        for doc in range(DOCUMENTS):
            t = column["position"][column["doc"] == doc].max()
            (state,) = np.flatnonzero((column["doc"] == doc) & (column["position"] == t))
            of_documents["energy"].append(column["energy"][state])
            of_documents["p_last"].append(np.exp(column["log_p_last"][state]))
            of_documents["p_continuation"].append(np.exp(column["log_p_correct"][state]))
            of_documents["below_zero"].append(column["energy"][state] < 0)
            copy = [t - 1 - back for back in range(1 + doc % 3)]
            of_copy = (column["doc"] == doc) & np.isin(column["position"], copy)
            of_documents["p_copy"].append(np.mean(np.exp(column["log_p_correct"][of_copy])))
        assert row["documents"] == DOCUMENTS
        difference = row["p_continuation"] - row["p_last"]
        assert row["energy"] == pytest.approx(difference, abs=1e-6)
        for name, values in of_documents.items():
            assert row[name] == pytest.approx(np.mean(values), abs=1e-6), name
            if name != "below_zero":
                low, high = stats.t.interval(0.9, DOCUMENTS - 1, np.mean(values), stats.sem(values))
                assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx(
                    (low, high), abs=1e-5
                )
        assert 0 < row["below_zero_low"] < row["below_zero"] < row["below_zero_high"] < 1


def test_a_share_of_all_documents_has_the_exact_binomial_bound(columns_n):
    for column in columns_n.values():
        column["energy"] = -np.abs(column["energy"])
    for row in describe_repetition(columns_n, 0.95):
        assert (row["below_zero"], row["below_zero_high"]) == (1, 1)
        assert row["below_zero_low"] == pytest.approx(0.025 ** (1 / DOCUMENTS))


def test_other_documents_or_one_alone_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="the documents are not the same for every number of"):
        describe_repetition({1: made(1, rng, range(3)), 2: made(2, rng, range(1, 4))}, 0.95)
    with pytest.raises(ValueError, match="needs at least two"):
        describe_repetition({1: made(1, rng, [3]), 2: made(2, rng, [3])}, 0.95)
    with pytest.raises(ValueError, match="one number of copies does not tell how long a unit is"):
        describe_repetition({1: made(1, rng)}, 0.95)


def test_a_copy_that_no_state_tells_what_was_expected_of_is_refused():
    whole = {copies: made(copies, np.random.default_rng(0)) for copies in (1, 2)}
    for before, refused in [(PREFIX, False), (PREFIX + 1, True)]:
        cut = {
            copies: {name: x[column["position"] >= before] for name, x in column.items()}
            for copies, column in whole.items()
        }
        if refused:
            with pytest.raises(ValueError, match="begins at a document's first token"):
                describe_repetition(cut, 0.95)
        else:
            rows = zip(*(describe_repetition(found, 0.95) for found in (cut, whole)), strict=True)
            assert all(row == pytest.approx(of_whole) for row, of_whole in rows)
