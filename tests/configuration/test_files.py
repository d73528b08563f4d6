"""Configuration files as they are written, and values of `--config`: nothing is lost or misread."""

from __future__ import annotations

import json

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.configuration.studies import CONFIG, changed, sentence
from workflow_scripts.configuration.files import check_files
from workflow_scripts.configuration.study import read_overrides, resolve
from workflow_scripts.semstat.errors import InputError


def complaint(path):
    with pytest.raises(InputError) as raised:
        check_files([path])
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: 1\nb: 2\na: 1\n", "a: is written twice, in lines 1 and 3, "),
        (
            "m:\n  x: {s: 1}\n  y: {s: 1}\n  x: {s: 2}\n",
            "m.x: is written twice, in lines 2 and 4, ",
        ),
        ("l:\n- {a: 1, a: 1}\n", "l.0.a: is written twice, in lines 2 and 2, "),
        ("a: &x {b: 1}\nc: {<<: *x, <<: *x}\n", "c.<<: is written twice, "),
        ('{"a": 1,\n\t"a": 2}', "a: is written twice, in lines 1 and 2, "),
        ("s: 010\n", "s: in line 1 YAML reads 010 as 8; write that, or '010' in quotes"),
        ("s: [1, 1:30]\n", "s.1: in line 1 YAML reads 1:30 as 90; "),
        ("s: 1:30.5\n", "s: in line 1 YAML reads 1:30.5 as 90.5; "),
        ("m:\n  on: {}\n", "m.on: YAML takes the key in line 2 for no text; write 'on' in quotes"),
        ("m:\n  01: {}\n", "m.01: YAML takes the key in line 2 for no text; "),
    ],
)
def test_what_would_be_lost_or_misread_is_named(tmp_path, text, what):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert complaint(path).startswith(f"{path}: {what}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [1_000, 0x10, 0, +5, -3, 0.5, 00.5, .inf, 1.0e-3, '010', '1:30', text]\n",
        "a: &x {b: 1}\nc: {<<: *x, b: 2}\nd: *x\n",
        "a: &x [*x]\n",
        json.dumps(CONFIG, indent="\t"),
        yaml.safe_dump(CONFIG),
    ],
)
def test_other_files_are_taken(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    check_files([path, tmp_path / "a pipe that is no file"])


def test_values_of_the_command_line_are_as_in_a_file():
    said = {"curves": {"resamples": "60", "confidence": ".9"}, "x": ["1", "a b", "yes", "null"]}
    assert read_overrides(said) == {
        "curves": {"resamples": 60, "confidence": 0.9},
        "x": [1, "a b", True, "null"],
    }
    with pytest.raises(InputError, match=r"^--config x\.seed: YAML reads 010 as 8; write that"):
        read_overrides({"x": {"seed": "010"}})


@pytest.mark.parametrize(
    ("where", "value", "what"),
    [
        ("models/a/prefix_token", False, "models.a.prefix_token: False is not of type 'string'; "),
        ("models/a/prefix_token", 0, "put what is written there in quotes (Token put before"),
        ("datasets/text/text_column", 1.1, "put what is written there in quotes (Column"),
        ("curves/confidence", "9e-1", "'9e-1' is not of type 'number'; write 0.9 ("),
        ("curves/confidence", "1e-7", "; write 1.0e-07 ("),
        ("curves/resamples", "1e2", "'1e2' is not of type 'integer'; write 100 ("),
        ("curves/resamples", "inf", "'inf' is not of type 'integer'; Draws of"),
        ("curves/resamples", "2.5", "'2.5' is not of type 'integer'; Draws of"),
        ("curves/resamples", "many", "'many' is not of type 'integer'; Draws of"),
    ],
)
def test_what_yaml_reads_otherwise_is_told_how_to_write(where, value, what):
    assert what in sentence(changed(where, value))


# Names, as readers of tables take them.

NUMBERS = ["1", "01", "1.10", "1e5", "1E-5", "1_0", "0x1F", "2024-01-01", "01.02.2024", "20240101"]
NUMBERS += ["20240101T000000", "0b11", "1e400"]
WORDS = ["nan", "NaN", "NA", "null", "None", "inf", "Infinity", "true", "False", "t", "yes", "No"]
WORDS += ["epoch"]


@pytest.mark.parametrize("name", [*NUMBERS, *WORDS])
@pytest.mark.parametrize("kind", ["models", "datasets"])
def test_a_name_that_is_no_text_to_readers_of_tables_is_refused(kind, name):
    entry = CONFIG[kind]["a" if kind == "models" else "text"]
    assert sentence(changed(f"{kind}/{name}", entry)).startswith(
        f"{kind}.{name}: pandas, polars or DuckDB would read this name as a number, "
    )


@pytest.mark.parametrize(
    "name", ["7b", "3T", "v1.10", "step1000", "sotu-1790", "1e", "e5", "nano", "x0"]
)
def test_a_name_that_stays_text_is_taken(name):
    assert name in resolve(changed(f"datasets/{name}", CONFIG["datasets"]["text"]))["datasets"]


def test_names_that_differ_in_case_only_are_refused():
    found = sentence(changed("models/A", CONFIG["models"]["a"]))
    assert found.startswith("models.A: differs from a in case only")


def read_by_all(names, folder):
    """The names that pandas, polars and DuckDB read from paths and from a CSV file."""
    for name in names:
        (path := folder / f"tree/dataset={name}/shard=0.parquet").parent.mkdir(parents=True)
        pq.write_table(pa.table({"energy": [0.1]}), path)
    (folder / "table.csv").write_text("dataset\n" + "".join(f"{name}\n" for name in names))
    tree, table = str(folder / "tree"), str(folder / "table.csv")
    files = f"{tree}/**/*.parquet"
    return [
        pd.read_parquet(tree).dataset.unique().tolist(),
        pd.read_csv(table).dataset.tolist(),
        pl.read_parquet(files, hive_partitioning=True)["dataset"].unique().to_list(),
        pl.read_csv(table)["dataset"].to_list(),
        [row[-1] for row in duckdb.read_parquet(files, hive_partitioning=True).fetchall()],
        [name for (name,) in duckdb.read_csv(table).fetchall()],
    ]


@pytest.mark.parametrize("name", [*NUMBERS, *WORDS, "7b", "step1000", "v1.10", "na-b", "1e"])
def test_readers_take_the_names_that_are_refused_for_something_else_and_no_other(name, tmp_path):
    """Alone, and beside a name that is text."""
    kept = survive([name], tmp_path / "one") and survive([name, "text"], tmp_path / "two")
    assert kept == (name not in [*NUMBERS, *WORDS] or name == "1_0")


def survive(names, folder):
    try:
        found = read_by_all(names, folder)
    except (ValueError, pl.exceptions.ComputeError):  # two names became one, or a date none
        return False
    return all(sorted(column, key=str) == sorted(names) for column in found)
