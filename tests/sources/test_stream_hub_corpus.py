"""A corpus of the hub is streamed from its pinned revision, or refused in one sentence."""

import json
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.runs import complaint
from tests.sources.fetching import PIPED, fetch_corpus
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.sources.tables import CHATS, CORPUS
from workflow_scripts.semstat.tables import provenance_of, read_table
from workflow_scripts.sources.corpora import Selection
from workflow_scripts.sources.stream_hub_corpus import stream_hub_corpus


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A data set in the hub's layout, which `datasets` streams from a local folder."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "owner" / "name"
    (folder / "data").mkdir(parents=True)
    table = pa.table({"id": range(40), "body": [f"text {i}" for i in range(40)]})
    pq.write_table(table, folder / "data" / "train-00000-of-00001.parquet")
    return str(folder)


def fetched(hub, out, split="train", subset=None, **selection):
    stream_hub_corpus(
        name="x",
        hub=hub,
        revision="0" * 40,
        subset=subset,
        split=split,
        documents=7,
        selection=Selection(**{"text_column": "body"} | selection),
        out=out,
    )
    table = read_table(out, CORPUS)
    assert table["doc"].to_pylist() == list(range(len(table)))
    return table["text"].to_pylist()


def test_a_hub_corpus_is_streamed(hub, tmp_path):
    out = tmp_path / "out.parquet"
    assert fetched(hub, out) == [f"text {i}" for i in range(7)]
    pinned = {"source": "hub", "hub": hub, "revision": "0" * 40, "split": "train"}
    taken = {"text_column": "body", "min_characters": 1, "documents": 7}
    assert provenance_of(pq.read_schema(out))["source"] == pinned | taken
    one, again = (fetched(hub, out, shuffle_seed=5) for _ in range(2))
    assert one == again and len(set(one)) == 7
    assert one != [f"text {i}" for i in range(7)]


def test_conversations_of_the_hub(hub, tmp_path):
    chats = [[{"role": "user", "content": f"text {i}"}] for i in range(7)]
    file = Path(hub) / "data" / "train-00000-of-00001.parquet"
    pq.write_table(pa.table({"body": [*chats, *chats]}), file)
    stream_hub_corpus(
        name="x",
        hub=hub,
        revision="0" * 40,
        split="train",
        documents=9,
        selection=Selection(text_column="body"),
        out=tmp_path / "out.parquet",
    )
    found = read_table(tmp_path / "out.parquet", CHATS)["messages"].to_pylist()
    assert list(map(json.loads, found)) == chats


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"text_column": "text"}, r"\.text_column: .* has no column 'text'; it has id, body$"),
        ({"text_column": "id"}, r"\.text_column: .*: 'id' holds int, neither text nor messages; "),
        ({"split": "test"}, r"\.hub: cannot stream .* \(test\) from the hub \(.*\); check the "),
        ({"subset": "nope"}, r"\.hub: cannot stream .* \(train\) from the hub \(.*\); check the "),
    ],
)
def test_what_a_hub_corpus_does_not_have_is_named(hub, change, expected, tmp_path):
    with pytest.raises(InputError, match=rf"^datasets\.x{expected}"):
        fetched(hub, tmp_path / "out.parquet", **change)
    assert not (tmp_path / "out.parquet").exists()


# By its command line.


def run(folder, hub, **environment):
    given = [f"--hub={hub}", f"--revision={'0' * 40}", "--split=train", "--documents=3"]
    return fetch_corpus("stream_hub_corpus", folder, *given, "--text-column=body", **environment)


def test_the_command_streams(hub, tmp_path):
    said = run(tmp_path, hub, HF_HOME=str(tmp_path / "cache"))
    assert said.code == 0, said.text
    found = pq.read_table(tmp_path / "corpus.parquet")["text"].to_pylist()
    assert found == ["text 0", "text 1", "text 2"]


def test_a_hub_out_of_reach_is_one_sentence(tmp_path):
    started = time.monotonic()
    said = run(tmp_path, "owner/name", HF_HOME=str(tmp_path / "cache"), **PIPED)
    sentence = complaint(said, "datasets.text.hub", "owner/name", "check the network")
    assert time.monotonic() - started < 60
    assert sentence.startswith(
        "error: datasets.text.hub: cannot stream owner/name (train) from the hub (Couldn't reach "
    )
