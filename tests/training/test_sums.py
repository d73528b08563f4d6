"""Sums over documents are those of a loop over states."""

from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest

from tests.training.trained import FACTS, energies_table
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.loops import covered
from workflow_scripts.semstat.tables import read_table, table_of_rows, write_table
from workflow_scripts.semstat.tokens.repetitions import find_runs, in_runs
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.semstat.training.bigrams import Bigrams
from workflow_scripts.semstat.training.sums import sum_documents
from workflow_scripts.semstat.training.tables import SUMS
from workflow_scripts.training import sum_documents as command

LENGTHS = {3: 40, 4: 5, 9: 90}
"""Tokens of each document, without its prefix token."""


def texts():
    """Tokens of each document, of few kinds, so that they repeat; the prefix token is 0."""
    rng = np.random.default_rng(0)
    return {doc: np.append(0, rng.integers(1, 4, size)) for doc, size in LENGTHS.items()}


def energies(tokens, seed=0):
    """Columns of energies of every state of documents that has a correct token."""
    rng = np.random.default_rng(seed)
    doc = np.repeat([*tokens], [len(each) - 2 for each in tokens.values()])
    position = np.concatenate([np.arange(1, len(each) - 1) for each in tokens.values()])
    energy = rng.uniform(-1, 1, len(doc)) * rng.integers(0, 2, len(doc))
    log_p = np.log(rng.uniform(0.01, 1, len(doc)))
    last, correct = (
        np.concatenate([each[1 + ahead : len(each) - 1 + ahead] for each in tokens.values()])
        for ahead in (0, 1)
    )
    return {"doc": doc, "position": position, "last": last, "correct": correct,
            "log_p_correct": log_p, "energy": energy}  # fmt: skip


def by_loop(tokens, column, bigrams=None):
    """The same sums, a state at a time."""
    rows = {}
    for doc, position, last, correct, log_p, energy in zip(*column.values(), strict=True):
        runs = find_runs(tokens[doc][1:])
        # Of text, the correct token is the one at `position`, counted from 0.
        places = zip(runs.begin_l, runs.end_l, strict=True)
        in_run = any(begin <= position < end for begin, end in places)
        row = rows.setdefault(doc, dict.fromkeys(SUMS.names[2:], 0.0))
        number = {"states": 1, "surprisal": -log_p, "energy": energy, "below_zero": energy < 0}
        number["bigrams"] = -np.log(bigrams[last, correct]) if bigrams else np.nan
        for name, value in number.items():
            row[name] += value
            row[f"runs_{name}"] += value * in_run
    return rows


def by_counts(documents, vocabulary):
    """p(v | u) by (u, v), interpolated as Witten and Bell do, from counts in dictionaries."""
    pairs = [pair for each in documents for pair in pairwise(each.tolist())]
    follow, after = Counter(pairs), Counter(v for _, v in pairs)
    found = {}
    for u, v in product(range(vocabulary), repeat=2):
        p = (after[v] + len(after) / vocabulary) / (len(pairs) + len(after))
        seen = [count for (first, _), count in follow.items() if first == u]
        found[u, v] = (follow[u, v] + len(seen) * p) / (sum(seen) + len(seen)) if seen else p
    return found


def test_a_chain_of_bigrams_is_a_law():
    documents = list(texts().values())
    for vocabulary in (4, 9):  # of nine tokens five never come
        chain = Bigrams(documents, vocabulary)
        expected = by_counts(documents, vocabulary)
        for u in range(vocabulary):
            p_v = np.exp(-chain.surprisal(np.full(vocabulary, u), np.arange(vocabulary)))
            np.testing.assert_allclose(p_v, [expected[u, v] for v in range(vocabulary)])
            assert p_v.sum() == pytest.approx(1)


def test_sums_are_those_of_a_loop():
    tokens = texts()
    column = energies(tokens)
    flags = {doc: np.append(False, in_runs(each[1:])) for doc, each in tokens.items()}
    chain = Bigrams(tokens.values(), 4)
    for bigrams, p_of in ((None, None), (chain, by_counts(tokens.values(), 4))):
        found = sum_documents(column, flags, bigrams)
        expected = by_loop(tokens, column, p_of)
        assert found["doc"].tolist() == [*expected] == [*LENGTHS]
        for name in SUMS.names[2:]:
            np.testing.assert_allclose(found[name], [row[name] for row in expected.values()])
    assert 0 < found["runs_states"].sum() < found["states"].sum()


def test_a_text_without_runs_has_none():
    assert not in_runs(np.arange(50)).any()
    assert in_runs(np.array([], dtype=np.int64)).tolist() == []
    runs = find_runs(np.array([5, 5, 1]))
    assert covered(*runs[:2], 3).tolist() == in_runs(np.array([5, 5, 1])).tolist()


def test_energies_of_a_document_that_is_not_given_are_refused():
    tokens = texts()
    with pytest.raises(ValueError, match="document 9, whose tokens are not given"):
        sum_documents(energies(tokens), {3: np.zeros(41), 4: np.zeros(6)})


@pytest.fixture
def files(tmp_path):
    """Energies of two shards at two layers, and their tokens."""
    tokens = texts()
    shards = [{3: tokens[3], 4: tokens[4]}, {9: tokens[9]}]
    paths = {"tokens": [], "energies": []}
    for i, shard in enumerate(shards):
        path = tmp_path / f"tokens-{i}.parquet"
        rows = [{"doc": doc, "tokens": each.tolist()} for doc, each in shard.items()]
        write_table(path, table_of_rows(rows, TOKENS), {"dataset": "d"})
        paths["tokens"].append(path)
        for layer in (2, 0):
            path = tmp_path / f"energies-{i}-{layer}.parquet"
            column = energies(shard, seed=layer)
            write_table(path, energies_table(column), FACTS | {"layer": layer})
            paths["energies"].append(path)
    return tmp_path, tokens, shards, paths


def sum_files(folder, paths):
    words = [*paths["energies"], "--tokens", *paths["tokens"], "--out", folder / "out.parquet"]
    call(command.sum_documents, [str(word) for word in words])
    return read_table(folder / "out.parquet", SUMS)


def test_the_command_sums_shards_and_layers_in_whatever_order(files):
    folder, tokens, shards, paths = files
    table = sum_files(folder, paths)
    assert table["layer"].to_pylist() == [0] * 3 + [2] * 3
    assert table["doc"].to_pylist() == [*LENGTHS] * 2
    expected = [
        row["energy"]
        for layer in (0, 2)
        for shard in shards
        for row in by_loop(tokens, energies(shard, seed=layer)).values()
    ]
    np.testing.assert_allclose(table["energy"].to_numpy(), expected, atol=1e-5)


def test_the_command_refuses_a_file_twice(files):
    folder, _, _, paths = files
    with pytest.raises(InputError, match="in another file of layer 2 too; give the files of one"):
        sum_files(folder, paths | {"energies": [*paths["energies"], paths["energies"][0]]})


def test_the_command_refuses_energies_without_their_tokens(files):
    folder, _, _, paths = files
    with pytest.raises(InputError, match=r"energies-1-2.*document 9, whose tokens are not given"):
        sum_files(folder, paths | {"tokens": paths["tokens"][:1]})
