"""Tokens of the tiny study: its text, and the ensembles that are made of it."""

import pyarrow.parquet as pq
import pytest

from tests.results import DATASETS, tokens_path


@pytest.fixture(scope="module")
def results(finished):
    return finished.work / "results"


def test_ensembles_are_what_they_are_called(results):
    def documents(dataset):
        rows = pq.ParquetFile(tokens_path(results, "tiny", dataset, 0)).read().to_pylist()
        return {row["doc"]: row["tokens"] for row in rows}

    text, shuffled, uniform = (documents(dataset) for dataset in DATASETS)
    assert set(text) == set(shuffled) == set(uniform) == set(range(4))
    for doc, tokens in text.items():
        assert tokens[0] == shuffled[doc][0] == uniform[doc][0] == 0
        assert tokens != shuffled[doc]
        assert sorted(tokens) == sorted(shuffled[doc])
        assert len(tokens) == len(uniform[doc])
    assert len({token for tokens in uniform.values() for token in tokens}) > 100
    assert len({token for tokens in text.values() for token in tokens}) < 40
