"""Odd files of documents are read as they are meant, or refused: none wrongly in silence."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.sources.endings import ending_of
from workflow_scripts.sources.read_local_corpus import read_files

MARK = "\ufeff"
ROW = '{"text": "one Ω"}'
CHAT = [{"role": "user", "content": "Hi Ω"}, {"role": "assistant", "content": "Ho"}]


def read(path, content=None, column="text"):
    if content is not None:
        path.write_bytes(content)
    return list(read_files("datasets.x", column, [path]))


def zstd(content):
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(content)
    return out.getvalue().to_pybytes()


RIGHT = {
    "mark.txt": (f"{MARK}one".encode(), ["one"]),
    "mark within.txt": (f"one{MARK}".encode(), [f"one{MARK}"]),
    "mark.jsonl": (f"{MARK}{ROW}\n{ROW}".encode(), ["one Ω"] * 2),
    "marked rows.jsonl": (json.dumps({"text": f"{MARK}one"}).encode(), ["one"]),
    "windows.txt": (b"one\r\n\r\ntwo\rthree\n", ["one\n\ntwo\rthree\n"]),
    "windows.jsonl": (f"{ROW}\r\n\r\n{ROW}\r\n".encode(), ["one Ω"] * 2),
    "lines of json.jsonl": (b'{"text": "one\\r\\ntwo"}', ["one\r\ntwo"]),
    "blank.jsonl": (f"\n{ROW}\n \t\n{ROW}\n\n".encode(), ["one Ω"] * 2),
    "separators.jsonl": ('{"text": "a\u2028b\x85c"}\n'.encode(), ["a\u2028b\x85c"]),
    "zero.jsonl": (b'{"text": "a\\u0000b"}', ["a\0b"]),
    "pair.jsonl": (b'{"text": "\\ud83d\\ude42"}', ["🙂"]),
    "empty.txt": (b"", [""]),
    "empty.jsonl": (b"", []),
    "LOUD.TXT": (b"one", ["one"]),
    "Loud.JsonL": (ROW.encode(), ["one Ω"]),
    "long.jsonl": (b'{"text": "' + b"a" * 20_000_000 + b'"}', ["a" * 20_000_000]),
    "one.txt.gz": (gzip.compress(f"{MARK}one Ω".encode()), ["one Ω"]),
    "two members.jsonl.gz": (gzip.compress(f"{ROW}\n".encode()) * 2, ["one Ω"] * 2),
    "one.jsonl.zst": (zstd(f"{ROW}\n{ROW}".encode()), ["one Ω"] * 2),
    "two frames.TXT.ZST": (zstd(b"one ") + zstd(b"two"), ["one two"]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_an_odd_file_is_read_as_it_is_meant(name, tmp_path):
    content, expected = RIGHT[name]
    assert read(tmp_path / name, content) == expected


def test_a_broken_line_is_named(tmp_path):
    """The 3,001st, by its number."""
    content = f"{ROW}\n" * 3000 + "{,}\n"
    with pytest.raises(InputError, match=r"a\.jsonl, line 3001 cannot be read \(Expecting prop"):
        read(tmp_path / "a.jsonl", content.encode())


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_parquet_holds_text_in_many_ways(kind, tmp_path):
    texts = ["one", "two Ω"] * 3
    for column in (pa.array(texts, kind), pa.chunked_array([pa.array(texts, kind)] * 2)):
        pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
        assert read(tmp_path / "a.parquet") == texts * (len(column) // len(texts))
    pq.write_table(pa.table({"text": pa.array(texts).dictionary_encode()}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == texts
    pq.write_table(pa.table({"data.text": texts}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", column="data.text") == texts


WRONG_COLUMNS = {
    "binary": (pa.array([b"one"]), "row 1: 'text' holds bytes, neither text nor messages; "),
    "null": (pa.array(["one", None]), "row 2: 'text' holds null, neither text nor messages; "),
    "nested": (pa.array([{"body": "one"}]), "row 1: 'text' holds dict, neither text nor mess"),
    "words": (pa.array([["one", "two"]]), "row 1: 'text' holds list, neither text nor messages; "),
    "other messages": (
        pa.array([CHAT, [{"from": "human", "value": "Hi"}]]),
        "row 2: message 1 of 'text' has no `role` and `content` that are text; ",
    ),
    "not UTF-8": (pa.array([b"\xe9"]).view(pa.string()), "cannot be read ('utf-8' codec can't dec"),
}


@pytest.mark.parametrize("name", WRONG_COLUMNS)
def test_a_parquet_column_that_is_no_text_is_refused(name, tmp_path):
    column, expected = WRONG_COLUMNS[name]
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    with pytest.raises(InputError) as raised:
        read(tmp_path / "a.parquet")
    assert str(raised.value).startswith("datasets.x.") and expected in str(raised.value)


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    table = pa.table([["one"], ["two"]], names=["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"text_column: .*a\.parquet has 2 columns 'text'; rename"):
        read(tmp_path / "a.parquet")


def test_messages_may_be_json_within_parquet(tmp_path):
    """As `datasets` writes those whose keys differ: whole, or one by one."""
    told = [{"role": "tool", "content": "1", "found": {"n": [1]}}, *CHAT]
    parts = pa.array([json.dumps(message) for message in told], pa.json_())
    for column in (
        pa.array([json.dumps(told)], pa.json_()),
        pa.ListArray.from_arrays([0, len(told)], parts),
    ):
        pq.write_table(pa.table({"messages": column}), tmp_path / "a.parquet")
        assert read(tmp_path / "a.parquet", column="messages") == [told]


@pytest.mark.parametrize(
    "row",
    [
        '{"text": "one", "text": "two"}',
        '{"text": [{"role": "user", "content": "one", "content": "two"}]}',
    ],
)
def test_a_key_that_is_there_twice_is_refused(row, tmp_path):
    with pytest.raises(InputError, match=r"line 1 cannot be read \(it has the key '\w+' twice\)"):
        read(tmp_path / "a.jsonl", row.encode())


@pytest.mark.parametrize(
    "pointer",
    [
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "/annex/objects/SHA256E-s9--0.txt\n",
    ],
)
def test_a_pointer_in_place_of_a_text_is_refused(pointer, tmp_path):
    with pytest.raises(InputError, match=r"a\.txt cannot be read \(a pointer in place of the text"):
        read(tmp_path / "a.txt", pointer.encode())


def test_a_nested_column_is_not_there_by_its_path(tmp_path):
    pq.write_table(pa.table({"data": pa.array([{"text": "one"}])}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet has no column 'data\.text'; it has data$"):
        read(tmp_path / "a.parquet", column="data.text")


def test_conversations_are_lists_of_messages(tmp_path):
    tool = [{"role": "tool", "content": "1", "name": "f"}]
    rows = [{"messages": CHAT}, {"messages": tool}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    assert read(tmp_path / "a.parquet", column="messages") == [CHAT, tool]
    assert read(tmp_path / "a.jsonl", lines, column="messages") == [CHAT, tool]


@pytest.mark.parametrize(
    "name", ["a.json", "a.csv", "a", ".txt", "a.gz", "a.parquet.gz", "a.txt.bz2"]
)
def test_other_files_hold_no_documents(name):
    assert ending_of(name) is None
