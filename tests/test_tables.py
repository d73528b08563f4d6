"""Tables keep what they are given, appear whole or not at all, and say what is wrong with them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import OPTIONS, InputError
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import (
    TableError,
    completed,
    open_table,
    provenance_of,
    read_table,
    table_writers,
    write_json,
    write_table,
)
from workflow_scripts.semstat.tokens.tables import TOKENS

CONTENT = {
    "corpus": (CORPUS, {"doc": [0, 1], "text": ["Ω", ""]}),
    "tokens": (TOKENS, {"doc": [0, 1], "tokens": [[0, 5], [0]]}),
    "energies": (
        ENERGIES,
        {f.name: [None, 0.5] if f.nullable else [1, 2] for f in ENERGIES},
    ),
}


@pytest.fixture(params=CONTENT)
def table(request):
    schema, columns = CONTENT[request.param]
    return pa.Table.from_pydict(columns, schema=schema)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "corpus.parquet"
    rows = {"doc": range(5000), "text": [f"document {i**3}" for i in range(5000)]}
    write_table(path, pa.Table.from_pydict(rows, schema=CORPUS), {"dataset": "x"})
    return path


def test_a_table_comes_back_with_its_provenance(table, tmp_path):
    path, provenance = tmp_path / "new" / "t.parquet", {"b": [1, {"c": "é"}], "a": None}
    write_table(path, table, provenance)
    found = read_table(path, table.schema)
    assert found.equals(table)
    assert provenance_of(found.schema) == provenance
    assert [file.name for file in path.parent.iterdir()] == ["t.parquet"]
    assert read_table(path, table.schema, columns=["doc"]).column_names == ["doc"]


def test_a_column_that_came_later_is_null_in_older_files(tmp_path):
    schema, columns = CONTENT["energies"]
    table = pa.Table.from_pydict(columns, schema=schema)
    older, other = tmp_path / "older.parquet", tmp_path / "other.parquet"
    write_table(older, table.drop_columns(["log_p_top"]), {})
    found = read_table(older, schema)
    assert found.column_names == schema.names
    assert found["log_p_top"].null_count == len(found) == 2
    assert found.drop_columns(["log_p_top"]).equals(table.drop_columns(["log_p_top"]))
    assert read_table(older, schema, ["energy"]).column_names == ["energy"]
    assert read_table(older, schema, ["log_p_top", "energy"])["log_p_top"].null_count == 2
    for columns in (["speed"], ["log_p_top", "energy"]):
        write_table(other, table.drop_columns(columns), {})
        with pytest.raises(TableError, match=f"not the table expected here .*{columns[-1]}: "):
            read_table(other, schema)


def test_row_groups_are_appended_to_several_files(table, tmp_path):
    paths = [tmp_path / f"{i}.parquet" for i in range(2)]
    with table_writers(paths, table.schema, [{"layer": 0}, {"layer": 1}]) as writers:
        for writer in writers:
            writer.write_table(table)
            writer.write_table(table.slice(1))
        assert not any(path.exists() for path in paths)
    for layer, path in enumerate(paths):
        file = open_table(path, table.schema)
        assert provenance_of(file.schema_arrow) == {"layer": layer}
        assert file.num_row_groups == 2
        assert file.read().equals(pa.concat_tables([table, table.slice(1)]))


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_fails_leaves_nothing_behind_and_nothing_changed(failure, table, tmp_path):
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    old.write_text("before")
    with pytest.raises(failure), table_writers([old, new], table.schema, [{}, {}]) as writers:
        for writer in writers:
            writer.write_table(table)
        raise failure
    assert [file.name for file in tmp_path.iterdir()] == ["old.parquet"]
    assert old.read_text() == "before"


def test_completed_files_replace_what_was_there(tmp_path):
    path = tmp_path / "a" / "b.txt"
    for content in ("first", "second"):
        with completed(path) as (temporary,):
            assert temporary.parent == path.parent  # so that the rename is atomic
            temporary.write_text(content)
    assert path.read_text() == "second"
    write_json(path, {"b": 1, "a": 2})
    assert path.read_text() == '{\n  "a": 2,\n  "b": 1\n}\n'
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_the_body_forgot_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), completed(tmp_path / "a"):
        pass
    assert not list(tmp_path.iterdir())


def test_nulls_are_refused_where_the_schema_has_none(tmp_path):
    rows = pa.Table.from_pydict({"doc": [0, None], "text": ["a", "b"]}, schema=CORPUS)
    with pytest.raises(TableError, match=r"t\.parquet: column doc would hold nulls"):
        write_table(tmp_path / "t.parquet", rows, {})
    assert not list(tmp_path.iterdir())


def damage(path, how):
    content = path.read_bytes()
    if how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("doc,text\n0,a\n")
    elif how == "missing":
        path.unlink()
    elif how == "folder":
        path.unlink()
        path.mkdir()
    elif how == "other columns":
        pq.write_table(pa.table({"a": [1]}), path)
    elif how == "other types":
        write_table(path, pa.table({"doc": [1], "text": ["a"]}), {})
    elif how == "more columns":
        extra = pa.schema([*CORPUS, pa.field("more", pa.int32())])
        write_table(path, pa.table({"doc": [1], "text": ["a"], "more": [1]}, extra), {})
    elif how == "foreign":
        pq.write_table(pa.Table.from_pydict({"doc": [1], "text": ["a"]}, schema=CORPUS), path)
    elif how == "flipped bytes":
        flipped = bytearray(content)
        at = slice(len(content) // 3, len(content) // 3 + 500)
        flipped[at] = bytes(byte ^ 255 for byte in content[at])
        path.write_bytes(flipped)


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("truncated", "not a whole Parquet file"),
        ("empty", "not a whole Parquet file"),
        ("text", "not a whole Parquet file"),
        ("folder", "not a whole Parquet file"),
        ("missing", "no such file; run snakemake to make it"),
        ("other columns", "not the table expected here (doc: int32, text: string wanted, a f"),
        ("other types", "not the table expected here (doc: int32, text: string wanted, doc"),
        ("more columns", "not the table expected here (more columns than wanted, doc, text,"),
        ("foreign", "carries no provenance, so this workflow did not write it"),
        ("flipped bytes", "damaged"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_with_the_remedy(written, how, what, monkeypatch):
    monkeypatch.delenv(OPTIONS, raising=False)
    damage(written, how)
    with pytest.raises(TableError) as raised:
        read_table(written, CORPUS)
    sentence = str(raised.value)
    assert isinstance(raised.value, InputError)
    assert sentence.startswith(f"{written}: {what}")
    assert how == "missing" or sentence.endswith(
        f"`rm '{written}' && snakemake '{written}' --cores all`"
    )
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("model", "model=b/dataset=text/layer=3/shard=0.parquet"),
        ("dataset", "model=a/dataset=other/layer=3/shard=0.parquet"),
        ("layer", "model=a/dataset=text/layer=30.parquet"),
        (None, "model=a/dataset=text/layer=3.parquet"),
        (None, "model=a/dataset=text/shard=7.parquet"),
        (None, "elsewhere.parquet"),
    ],
)
def test_a_table_in_the_place_of_another_is_refused(tmp_path, key, place):
    path = tmp_path / place
    provenance = {"model": {"model": "a"}, "tokens": {"dataset": "text"}, "layer": 3}
    write_table(path, pa.Table.from_pydict({"doc": [], "text": []}, schema=CORPUS), provenance)
    if key is None:
        assert len(read_table(path, CORPUS)) == 0
    else:
        with pytest.raises(TableError, match=f"{path.name}: holds {key} .*, not .*; delete it"):
            read_table(path, CORPUS)
