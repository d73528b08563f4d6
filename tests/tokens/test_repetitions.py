"""What a corpus of tokens repeats, against brute force, closed forms and texts with known runs."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from tests.tokens.test_injected import inject, runs_of
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.loops import repetition
from workflow_scripts.semstat.statistics.curve import Interval
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.repetitions import describe_corpus, find_runs, sum_repetitions
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.semstat.training.corpus_columns import CORPORA
from workflow_scripts.training import describe_corpus as command


def described(documents, window=32):
    found = describe_corpus(sum_repetitions([np.array([0, *d]) for d in documents], window), 0.95)
    return found, {name: Interval.of(found, name) for name in found if f"{name}_low" in found}


def has_period(text, period):
    return all(text[t] == text[t - period] for t in range(period, len(text)))


def runs_by_brute_force(text, longest):
    found = set()
    for begin, end in itertools.combinations(range(len(text) + 1), 2):
        stretch = text[begin:end]
        period = next((k for k in range(1, len(stretch)) if has_period(stretch, k)), None)
        if period is None or period > longest or len(stretch) < 2 * period:
            continue
        longer = [text[begin - 1 : end]] if begin else []
        longer += [text[begin : end + 1]] if end < len(text) else []
        if not any(has_period(other, period) for other in longer):
            found.add((begin, end, period))
    return found


@pytest.mark.parametrize("longest", [2, 5, 64])
@pytest.mark.parametrize("vocabulary", [1, 2, 3, 5])
def test_runs_are_those_of_brute_force(vocabulary, longest):
    rng = np.random.default_rng(vocabulary)
    for length in (0, 1, 2, 3, 9, 20, 26):
        text = rng.integers(vocabulary, size=length)
        found = [*zip(*(part.tolist() for part in find_runs(text, longest)), strict=True)]
        assert len(set(found)) == len(found)
        assert set(found) == runs_by_brute_force(text.tolist(), longest)


def test_every_document_repeats_what_brute_force_finds():
    rng = np.random.default_rng(4)
    texts = [rng.integers(4, size=size).tolist() for size in (5, 12, 24, 31)]
    sums = sum_repetitions([np.array([9, *text]) for text in texts], 12)
    runs = [runs_by_brute_force(text, 64) for text in texts]
    copies = [[(end - begin) / k for begin, end, k in of_text] for of_text in runs]
    inside = [{t for b, e, _ in of_text for t in range(b, e)} for of_text in runs]
    windows = [[t[:12], t[12:24]][: len(t) // 12] for t in texts]
    assert sums.tokens_d.tolist() == [5, 12, 24, 31]
    assert sums.windows_d.tolist() == [0, 1, 2, 2]
    assert sums.runs_d.tolist() == [len(of_text) for of_text in runs]
    assert sums.copies_d.tolist() == pytest.approx([sum(of_text) for of_text in copies])
    assert sums.in_runs_d.tolist() == [len(of_text) for of_text in inside]
    assert sums.longest_run == max(itertools.chain(*copies))
    assert sums.distinct_tokens == 4, "the prefix token is in no text"
    assert sums.repeated_d.tolist() == [
        sum(a == b for a, b in itertools.pairwise(text)) for text in texts
    ]
    for n in (1, 2, 3, 4):
        expected = [sum(repetition(tokens, n) for tokens in of_text) for of_text in windows]
        assert sums.rep_dn[:, n - 1].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("unit", [1, 5, "sentence"])
def test_injected_repetitions_are_the_runs_of_a_text_that_has_no_token_twice(unit):
    texts = [inject(unit, 0.3, seed).token_t[1:] for seed in range(6)]
    found, _ = described(texts)
    runs = [run for text in texts for run in runs_of(text)]
    times = [times for _, _, times in runs]
    assert found["runs"] == len(runs)
    assert found["mean_run"] == pytest.approx(np.mean(times))
    assert found["longest_run"] == max(times)
    tokens = sum(map(len, texts))
    assert found["runs_share"] == pytest.approx(sum(s * n for _, s, n in runs) / tokens)
    assert found["distinct_tokens"] == 1000


def test_tokens_drawn_independently():
    """rep-1 of n tokens is 1 − Σ_v (1 − (1 − p_v)^n)/n; neighbours are equal with Σ_v p_v²."""
    p_v = 1 / np.arange(1, 61)
    p_v /= p_v.sum()
    rng, window, outside, z = np.random.default_rng(2), 32, [], []
    rep_1 = 1 - np.sum(1 - (1 - p_v) ** window) / window
    for _ in range(80):
        sizes = rng.integers(33, 100, size=12)
        _, intervals = described([rng.choice(60, size=s, p=p_v) for s in sizes], window)
        for name, truth in (("rep_1", rep_1), ("repeated_share", np.sum(p_v**2))):
            value, low, high = intervals[name]
            assert low < value < high
            outside.append(not low <= truth <= high)
            z.append((value - truth) / (high - low))
    expected = 0.05 * len(outside)
    assert abs(sum(outside) - expected) < 4 * np.sqrt(expected)
    assert abs(np.mean(z)) < 4 * np.std(z) / np.sqrt(len(z))


def test_what_there_is_none_of_has_no_number_and_what_does_not_scatter_no_bounds():
    found, intervals = described([range(10), range(20, 40)])
    assert np.isnan([found["longest_run"], *intervals["mean_run"], *intervals["rep_2"]]).all()
    for name in ("repeated_share", "runs_share"):
        assert intervals[name].value == 0 and np.isnan(intervals[name][1:]).all()
    assert (found["documents"], found["windows"], found["runs"]) == (2, 0, 0)
    with pytest.raises(ValueError, match="at least two"):
        described([range(10)])


# The command.


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(7)
    texts = [rng.integers(6, size=size).tolist() for size in (40, 50, 60, 70)]
    paths = []
    for shard in range(2):
        docs = [2 * shard, 2 * shard + 1]
        columns = {"doc": docs, "tokens": [[9, *texts[doc]] for doc in docs]}
        paths.append(tmp_path / f"shard={shard}.parquet")
        said = {"dataset": "x", "ensemble": "injected", "rate": 0.2, "tokenized by": shard}
        write_table(paths[-1], pa.Table.from_pydict(columns, schema=TOKENS), said)
    return paths, texts


def describe(files, out, window=16):
    words = ["--tokens", *files, "--window", window, "--confidence", 0.95, "--out", out]
    call(command.describe_corpus, [str(word) for word in words])


def test_the_command_writes_one_row_of_all_shards(files, tmp_path):
    paths, texts = files
    describe(paths, tmp_path / "out.parquet")
    table = read_table(tmp_path / "out.parquet", CORPORA)
    (row,) = table.to_pylist()
    found, _ = described(texts, 16)
    assert row == {"dataset": "x", "window": 16} | found
    assert provenance_of(table.schema)["tokens"]["rate"] == 0.2


def test_what_gives_no_row_is_one_sentence(files, tmp_path):
    paths, out = files[0], tmp_path / "out.parquet"
    with pytest.raises(InputError, match=r"shard=0.parquet: documents that are in another file"):
        describe([paths[0], paths[0]], out)
    with pytest.raises(InputError, match=r"^--window: 3 tokens have no 4-grams; give four at"):
        describe(paths, out, 3)
    table = read_table(paths[1])
    write_table(paths[1], table, provenance_of(table.schema) | {"rate": 0.3})
    with pytest.raises(InputError, match=r"which differs in `rate`; give the files of one$"):
        describe(paths, out)
    write_table(paths[1], table.slice(0, 1), provenance_of(table.schema))
    with pytest.raises(InputError, match=r"^datasets\.x: an interval over documents needs at"):
        describe(paths[1:], out)
    assert not out.exists()
