"""A corpus of local files by its command line: taken as it is, or refused in one sentence."""

import pyarrow.parquet as pq

from tests.runs import command, complaint
from tests.sources.fetching import fetch_corpus


def run(folder, *files, options=()):
    return fetch_corpus("read_local_corpus", folder, *files, "--files=*", *options)


def test_the_command_takes_files_in_their_order(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "-b.jsonl").write_text('{"body": "two"}\n{"body": "3"}\n')
    options = ["--text-column=body", "--min-characters=2", "--name=text", "--out=corpus.parquet"]
    given = ["--files=*", *options, "--", "a.txt", "-b.jsonl"]
    said = command("sources.read_local_corpus", *given, cwd=tmp_path)
    assert said.code == 0, said.text
    assert pq.read_table(tmp_path / "corpus.parquet")["text"].to_pylist() == ["one", "two"]


def test_an_empty_corpus(tmp_path):
    (tmp_path / "a.txt").write_text("")
    complaint(
        run(tmp_path, "a.txt"),
        "datasets.text",
        "corpus is empty",
        "1 too short left out",
        "min_characters",
    )


def test_text_files_that_cannot_be_read(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    complaint(run(tmp_path, "a.txt"), "a.txt", "mend or remove it")
    (tmp_path / "a.jsonl").write_text('{"text": "fine"}\n{"text": ')
    complaint(run(tmp_path, "a.jsonl"), "a.jsonl", "mend or remove it")
    (tmp_path / "b.jsonl").write_text('{"body": "fine"}\n')
    said = run(tmp_path, "b.jsonl")
    complaint(said, "datasets.text.text_column", "b.jsonl", "'text'", "it has body")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 but not really")
    complaint(run(tmp_path, "a.parquet"), "a.parquet", "mend or remove it")
    (tmp_path / "a.docx").write_bytes(b"")
    complaint(run(tmp_path, "a.docx"), "a.docx", ".txt and .jsonl")
