"""Copies of one text are no documents of their own."""

import gzip
import json

import pyarrow.parquet as pq
import pytest

from tests.runs import complaint
from tests.sources.fetching import fetch_corpus
from workflow_scripts.semstat.sources.tables import CHATS, CORPUS
from workflow_scripts.semstat.tables import read_table


def run(folder, rows, *options):
    with gzip.open(folder / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": row}) + "\n" for row in rows)
    return fetch_corpus("read_local_corpus", folder, "a.jsonl.gz", "--files=*", *options)


def texts(folder):
    return read_table(folder / "corpus.parquet", CORPUS)["text"].to_pylist()


def test_copies_are_left_out_and_counted(tmp_path):
    said = run(tmp_path, ["one", "two", "one", " ", "one", "two ", ""])
    assert said.code == 0, said.text
    assert "datasets.text: left out 2 too short and 2 copies of others, such as 'one'" in said.text
    assert texts(tmp_path) == ["one", "two", "two "]


def test_where_there_are_none_nothing_is_said(tmp_path):
    said = run(tmp_path, ["one", "two"])
    assert said.code == 0 and "left out" not in said.text
    assert texts(tmp_path) == ["one", "two"]


def test_documents_that_begin_alike(tmp_path):
    said = run(tmp_path, ["Licence: one", "Licence: two", "Other"], "--distinct-characters=9")
    assert "left out 1 copies of others, such as 'Licence: two'" in said.text
    assert texts(tmp_path) == ["Licence: one", "Other"]


@pytest.mark.parametrize("copies", [1, 70])
def test_one_document_has_no_error_bar(copies, tmp_path):
    said = run(tmp_path, ["one"] * copies)
    left_out = f"{copies - 1} copies of others, such as 'one'" if copies > 1 else "none"
    complaint(said, f"datasets.text: the corpus is one document ({left_out} left out)", "scatter")


def test_conversations_are_kept_as_they_are(tmp_path):
    chats = [[{"role": "user", "content": text}] for text in ("Hi Ω", "Ho", "Hi Ω", " ")]
    said = run(tmp_path, chats)
    assert "left out 1 too short and 1 copies of others, such as 'Hi Ω'" in said.text
    found = read_table(tmp_path / "corpus.parquet", CHATS)["messages"].to_pylist()
    assert list(map(json.loads, found)) == chats[:2]
    assert "Ω" in found[0]


def test_texts_and_conversations_are_datasets_apart(tmp_path):
    said = run(tmp_path, ["one", [{"role": "user", "content": "Hi"}]])
    complaint(said, "datasets.text.text_column: 'text' holds texts and lists of messages; make a")


def test_as_many_are_taken_as_are_asked_for(tmp_path):
    """Copies do not count among the documents of the hub's data."""
    from workflow_scripts.sources.corpora import Selection, write_corpus

    out = tmp_path / "corpus.parquet"
    write_corpus("x", {}, iter(["a", "a", "b", "c"]), Selection(), out, most=2)
    assert pq.read_table(out)["text"].to_pylist() == ["a", "b"]
