"""Corpora of every source end as one table of documents, or in one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workflow_scripts.sources.fetch_corpus import fetch, from_files, from_hub

from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import provenance_of, read_table

TEXTS = ["one", "", "two Ω", "three\n\nlines", "four 🙂"]
SPEC = {"source": "path", "files": "*", "text_column": "text", "min_characters": 1}


@pytest.fixture
def files(tmp_path):
    """The same texts in every format: ending → paths."""
    for number, text in enumerate(TEXTS):
        (tmp_path / f"{number}.txt").write_bytes(text.encode())
    lines = [json.dumps({"id": 1, "text": text}) + "\n" for text in TEXTS]
    (tmp_path / "a.jsonl").write_text("".join(lines))
    pq.write_table(pa.table({"id": range(5), "text": TEXTS}), tmp_path / "a.parquet")
    return {
        ending: sorted(map(str, tmp_path.glob(f"*{ending}")))
        for ending in (".txt", ".jsonl", ".parquet")
    }


def fetched(paths, out, **changes):
    fetch("x", SPEC | changes, paths, out)
    table = read_table(out, CORPUS)
    assert table["doc"].to_pylist() == list(range(len(table)))
    return table["text"].to_pylist()


@pytest.mark.parametrize("ending", [".txt", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_documents(files, ending, tmp_path):
    assert list(from_files("datasets.x", SPEC, files[ending])) == TEXTS
    out = tmp_path / "out.parquet"
    assert fetched(files[ending], out) == ["one", "two Ω", "three\n\nlines", "four 🙂"]
    provenance = provenance_of(pq.read_schema(out))
    assert provenance["dataset"] == "x" and provenance["source"] == SPEC


def test_short_documents_are_left_out(files, tmp_path):
    found = fetched(files[".jsonl"], tmp_path / "out.parquet", min_characters=5)
    assert found == ["two Ω", "three\n\nlines", "four 🙂"]


def test_no_more_documents_than_asked_for(files, tmp_path):
    assert fetched(files[".txt"], tmp_path / "out.parquet", documents=2) == ["one", "two Ω"]


def test_the_order_follows_the_seed(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": str(i)}) + "\n" for i in range(50)))
    one, again, other, plain = (
        fetched([str(path)], tmp_path / "out.parquet", **seed)
        for seed in ({"shuffle_seed": 0}, {"shuffle_seed": 0}, {"shuffle_seed": 1}, {})
    )
    assert one == again != other
    assert sorted(one, key=int) == sorted(other, key=int) == plain == [str(i) for i in range(50)]


WRONG = {
    "latin.txt": ("é".encode("latin-1"), "latin.txt cannot be read ('utf-8' codec can't decode "),
    "latin.jsonl": (b'{"text": "\xe9"}', "latin.jsonl cannot be read ('utf-8' codec can't "),
    "half.jsonl": (b'{"text": "a"}\n{"text": ', "half.jsonl cannot be read (Expecting value: "),
    "pair.jsonl": (
        b'{"text": "\\ud83d"}',
        "pair.jsonl cannot be read ('utf-8' codec can't encode ",
    ),
    "text.parquet": (b"PAR1 or not", "text.parquet cannot be read (Parquet magic bytes not found"),
    "a.csv": (
        b"text\na",
        "a.csv ends in '.csv'; documents are read from .txt, .jsonl and .parquet",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_read_is_named(name, tmp_path):
    content, expected = WRONG[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as raised:
        fetched([str(tmp_path / name)], tmp_path / "out.parquet")
    assert str(raised.value).startswith(f"datasets.x.files: {tmp_path}/{expected}")
    assert not (tmp_path / "out.parquet").exists()


def rows(tmp_path, kind, content):
    path = tmp_path / f"a.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in content))
    else:
        pq.write_table(pa.Table.from_pylist(content), path)
    return str(path)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([{"body": "a", "id": 1}], "has no column 'text'; it has body, id"),
        ([{"text": "a"}, {"text": None}], "'text' holds NoneType, not text"),
        ([{"text": 3}], "'text' holds int, not text"),
    ],
)
def test_a_column_that_holds_no_text_is_named(kind, content, expected, tmp_path):
    path = rows(tmp_path, kind, content)
    with pytest.raises(InputError) as raised:
        fetched([path], tmp_path / "out.parquet")
    assert str(raised.value).startswith(f"datasets.x.text_column: {path}")
    assert str(raised.value).endswith(expected)


def test_json_lines_that_are_no_objects_are_refused(tmp_path):
    path = rows(tmp_path, "jsonl", [[1, 2]])
    with pytest.raises(
        InputError, match=r"^datasets\.x\.text_column: .* has no column 'text'; it has list"
    ):
        fetched([path], tmp_path / "out.parquet")


@pytest.mark.parametrize("texts", [[], [""]])
def test_an_empty_corpus_is_refused(texts, tmp_path):
    path = rows(tmp_path, "jsonl", [{"text": text} for text in texts])
    expected = r"^datasets\.x: the corpus is empty: no document of at least 1 characters; check "
    with pytest.raises(InputError, match=expected):
        fetched([path], tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A data set in the hub's layout, which `datasets` streams from a local folder."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "owner" / "name"
    (folder / "data").mkdir(parents=True)
    table = pa.table({"id": range(40), "body": [f"text {i}" for i in range(40)]})
    pq.write_table(table, folder / "data" / "train-00000-of-00001.parquet")
    pinned = {"source": "hub", "hub": str(folder), "revision": "0" * 40, "split": "train"}
    return SPEC | pinned | {"text_column": "body", "documents": 7}


def test_a_hub_corpus_is_streamed(hub, tmp_path):
    out = tmp_path / "out.parquet"
    assert fetched([], out, **hub) == [f"text {i}" for i in range(7)]
    one, again = (fetched([], out, **hub, shuffle_seed=5) for _ in range(2))
    assert one == again and len(set(one)) == 7
    assert one != [f"text {i}" for i in range(7)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"text_column": "text"}, r"\.text_column: .* has no column 'text'; it has id, body$"),
        ({"text_column": "id"}, r"\.text_column: .*: 'id' holds int, not text$"),
        ({"split": "test"}, r"\.hub: cannot stream .* \(test\) from the hub \(.*\); check the "),
        ({"subset": "nope"}, r"\.hub: cannot stream .* \(train\) from the hub \(.*\); check the "),
    ],
)
def test_what_a_hub_corpus_does_not_have_is_named(hub, change, expected):
    with pytest.raises(InputError, match=rf"^datasets\.x{expected}"):
        list(from_hub("datasets.x", hub | change))


IMPATIENT = """
import runpy, sys, time
time.sleep = lambda seconds: None  # the hub's client waits 23 s between its retries
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


def test_a_hub_out_of_reach_is_one_sentence(tmp_path):
    spec = SPEC | {"source": "hub", "hub": "owner/name", "revision": "0" * 40, "split": "train"}
    command = [
        sys.executable,
        "-c",
        IMPATIENT,
        "workflow_scripts.sources.fetch_corpus",
        "--name",
        "x",
    ]
    command += ["--spec", json.dumps(spec | {"documents": 3}), "--out", str(tmp_path / "out")]
    away = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "PYTHONPATH": "."}
    run = subprocess.run(
        command,
        env=os.environ | away,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-1].startswith(
        "error: datasets.x.hub: cannot stream owner/name (train) from the hub (Couldn't reach "
    )
    assert not (tmp_path / "out").exists()
