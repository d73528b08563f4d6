"""Corpora of every source end as one table of documents, or in one sentence."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import provenance_of, read_table
from workflow_scripts.sources.corpora import Selection, write_corpus
from workflow_scripts.sources.read_local_corpus import read_files, read_local_corpus

TEXTS = ["one", "", "two Ω", "three\n\nlines", "four 🙂"]
SOURCE = {"source": "path", "files": "*", "text_column": "text", "min_characters": 1}


@pytest.fixture
def files(tmp_path):
    """The same texts in every format: ending → paths."""
    for number, text in enumerate(TEXTS):
        (tmp_path / f"{number}.txt").write_bytes(text.encode())
    lines = [json.dumps({"id": 1, "text": text}) + "\n" for text in TEXTS]
    (tmp_path / "a.jsonl").write_text("".join(lines))
    pq.write_table(pa.table({"id": range(5), "text": TEXTS}), tmp_path / "a.parquet")
    return {
        ending: sorted(tmp_path.glob(f"*{ending}")) for ending in (".txt", ".jsonl", ".parquet")
    }


def fetched(paths, out, **selection):
    read_local_corpus(paths, name="x", files="*", selection=Selection(**selection), out=out)
    table = read_table(out, CORPUS)
    assert table["doc"].to_pylist() == list(range(len(table)))
    return table["text"].to_pylist()


@pytest.mark.parametrize("ending", [".txt", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_documents(files, ending, tmp_path):
    assert list(read_files("datasets.x", "text", files[ending])) == TEXTS
    out = tmp_path / "out.parquet"
    assert fetched(files[ending], out) == ["one", "two Ω", "three\n\nlines", "four 🙂"]
    provenance = provenance_of(pq.read_schema(out))
    assert provenance["dataset"] == "x" and provenance["source"] == SOURCE


def test_short_documents_are_left_out(files, tmp_path):
    found = fetched(files[".jsonl"], tmp_path / "out.parquet", min_characters=5)
    assert found == ["two Ω", "three\n\nlines", "four 🙂"]


def test_no_more_documents_than_asked_for(files, tmp_path):
    texts, out = read_files("datasets.x", "text", files[".txt"]), tmp_path / "out.parquet"
    write_corpus("x", SOURCE, texts, Selection(), out, most=2)
    assert read_table(out, CORPUS)["text"].to_pylist() == ["one", "two Ω"]


def test_the_order_follows_the_seed(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": str(i)}) + "\n" for i in range(50)))
    one, again, other, plain = (
        fetched([path], tmp_path / "out.parquet", **seed)
        for seed in ({"shuffle_seed": 0}, {"shuffle_seed": 0}, {"shuffle_seed": 1}, {})
    )
    assert one == again != other
    assert sorted(one, key=int) == sorted(other, key=int) == plain == [str(i) for i in range(50)]


WRONG = {
    "latin.txt": ("é".encode("latin-1"), "latin.txt cannot be read ('utf-8' codec can't decode "),
    "latin.jsonl": (
        b'{"text": "\xe9"}',
        "latin.jsonl, line 1 cannot be read ('utf-8' codec can't ",
    ),
    "half.jsonl": (
        b'\n{"text": "a"}\n{"text": ',
        "half.jsonl, line 3 cannot be read (Expecting value: ",
    ),
    "pair.jsonl": (
        b'{"text": "\\ud83d"}',
        "pair.jsonl, line 1 cannot be read ('utf-8' codec can't encode ",
    ),
    "long.jsonl": (
        b'{"text": "a"}\n{"text": "b", "n": ' + b"9" * 5000 + b"}",
        "long.jsonl, line 2 cannot be read (Exceeds the limit (4300 digits) for integer ",
    ),
    "deep.jsonl": (
        b'{"text": "a", "deep": ' + b"[" * 100_000,
        "deep.jsonl, line 1 cannot be read (maximum recursion depth exceeded ",
    ),
    "wide.txt": ("words".encode("utf-16"), "wide.txt cannot be read ('utf-8' codec can't decode "),
    "wide-le.txt": (
        "words".encode("utf-16-le"),
        "wide-le.txt cannot be read (it holds zero bytes, ",
    ),
    "cut.txt.gz": (gzip.compress(b"words " * 99)[:-9], "cut.txt.gz cannot be read (Truncated comp"),
    "no.jsonl.gz": (
        b'{"text": "a"}',
        "no.jsonl.gz cannot be read (zlib inflate failed: incorrect ",
    ),
    "no.jsonl.zst": (b'{"text": "a"}', "no.jsonl.zst cannot be read (ZSTD decompress failed: "),
    "text.parquet": (b"PAR1 or not", "text.parquet cannot be read (Parquet magic bytes not found"),
    "a.csv": (
        b"text\na",
        "a.csv: documents are read from .txt and .jsonl (also .gz or .zst of these) and .parquet",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_read_is_named(name, tmp_path):
    content, expected = WRONG[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as raised:
        fetched([tmp_path / name], tmp_path / "out.parquet")
    assert str(raised.value).startswith(f"datasets.x.files: {tmp_path}/{expected}")
    assert not (tmp_path / "out.parquet").exists()


def rows(tmp_path, kind, content):
    path = tmp_path / f"a.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in content))
    else:
        pq.write_table(pa.Table.from_pylist(content), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([{"body": "a", "id": 1}], "has no column 'text'; it has body, id"),
        ([{"text": "a"}, {"text": None}], "'text' holds null, neither text nor messages"),
        ([{"text": 3}], "'text' holds int, neither text nor messages"),
    ],
)
def test_a_column_that_holds_no_text_is_named(kind, content, expected, tmp_path):
    path = rows(tmp_path, kind, content)
    with pytest.raises(InputError) as raised:
        fetched([path], tmp_path / "out.parquet")
    assert str(raised.value).startswith(f"datasets.x.text_column: {path}")
    assert expected in str(raised.value)


def test_json_lines_that_are_no_objects_are_refused(tmp_path):
    path = rows(tmp_path, "jsonl", [[1, 2]])
    with pytest.raises(
        InputError, match=r"^datasets\.x\.text_column: .* has no column 'text'; it has list"
    ):
        fetched([path], tmp_path / "out.parquet")


@pytest.mark.parametrize("texts", [[], [""]])
def test_an_empty_corpus_is_refused(texts, tmp_path):
    path = rows(tmp_path, "jsonl", [{"text": text} for text in texts])
    expected = (
        r"^datasets\.x: the corpus is empty \(.* left out\), and error bars come from .*; check "
    )
    with pytest.raises(InputError, match=expected):
        fetched([path], tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()
