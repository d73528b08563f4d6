"""Bad tokens, energies and whatever follows from them, given to the real commands.

Each gets one sentence with file, key and remedy, and no traceback. Where the error shows before a
model is needed, the model's weights here are garbage: a command that read them would say something
else.
"""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.runs import Said, command, complaint
from tests.tiny import PREFIX, VOCABULARY
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import write_table
from workflow_scripts.semstat.tokens.tables import TOKENS

# Tokens: a model's weights are never needed.


@pytest.fixture
def model(finished, tmp_path):
    """A snapshot whose weights are garbage."""
    folder = shutil.copytree(finished.work / "results/models/tiny", tmp_path / "models/tiny")
    (folder / "model.safetensors").write_bytes(b"garbage")
    return folder


def write_corpus(folder, *texts):
    table = pa.Table.from_pydict({"doc": range(len(texts)), "text": texts}, schema=CORPUS)
    write_table(folder / "corpus.parquet", table, {"dataset": "text"})


def tokenize(folder, documents=1, prefix=PREFIX) -> Said:
    given = ["--model=models/tiny", "--corpus=corpus.parquet", "--dataset=text", "--shard=0"]
    given += [f"--documents-per-shard={documents}", f"--prefix-token={prefix}"]
    said = command("tokens.tokenize_corpus", *given, "--out=tokens.parquet", cwd=folder)
    assert (folder / "tokens.parquet").exists() == (said.code == 0)
    return said


def test_a_tokenizer_without_the_prefix_token(model, tmp_path):
    write_corpus(tmp_path, "some text")
    said = tokenize(tmp_path, prefix="<s>")
    complaint(said, "models.tiny.prefix_token", "'<s>'", "tokenizer.json", f"it has {PREFIX}")


def test_a_document_without_tokens(model, tmp_path):
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    tokenizer["normalizer"] = {"type": "Strip", "strip_left": True, "strip_right": True}
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    write_corpus(tmp_path, "some text", "   ")
    assert tokenize(tmp_path, documents=1).code == 0
    (tmp_path / "tokens.parquet").unlink()
    said = tokenize(tmp_path, documents=2)
    complaint(said, "datasets.text", "document 1 of corpus.parquet", "min_characters")


def test_a_tokenizer_of_another_model(model, tmp_path):
    facts = json.loads((model / "provenance.json").read_text())
    assert facts["vocabulary"] == VOCABULARY
    (model / "provenance.json").write_text(json.dumps(facts | {"vocabulary": 50}))
    write_corpus(tmp_path, "some text")
    said = tokenize(tmp_path)
    complaint(said, "tokenizer.json", "beyond the model's vocabulary of 50", "another model")


def test_a_corpus_of_too_few_documents(model, tmp_path):
    write_corpus(tmp_path, "some text", "more text")
    said = tokenize(tmp_path, documents=3)
    complaint(said, "datasets.text.shards", "1 × 3 documents", "holds 2", "lower")


def test_a_corpus_that_is_none(model, tmp_path):
    (tmp_path / "corpus.parquet").write_bytes(b"PAR1")
    complaint(tokenize(tmp_path), "corpus.parquet: not a whole Parquet file", "rm 'corpus.parquet'")
    pq.write_table(pa.table({"doc": [1], "words": ["x"]}), tmp_path / "corpus.parquet")
    complaint(tokenize(tmp_path), "corpus.parquet: not the table expected here", "text: string")


# Energies.


def write_tokens(path, *documents):
    columns = {"doc": range(len(documents)), "tokens": documents}
    table = pa.Table.from_pydict(columns, schema=TOKENS)
    write_table(path, table, {"dataset": "text"})


def measure(folder, context=32) -> Said:
    given = ["--model=models/tiny", "--tokens=tokens.parquet", "--layers", "0", "3"]
    given += ["--out", "0.parquet", "3.parquet", f"--context={context}", "--stride=16"]
    said = command("energies.measure_energies", *given, cwd=folder)
    for layer in ("0", "3"):
        assert (folder / f"{layer}.parquet").exists() == (said.code == 0)
    assert not list(folder.glob(".*.tmp"))
    return said


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ([[0, 5, 6], [0, 5]], ["tokens.parquet: document 1 has fewer than two", "min_characters"]),
        (
            [[0, 5, 6], [0, VOCABULARY, 5]],
            ["document 1 has tokens 0 to 257", f"vocabulary of {VOCABULARY}"],
        ),
        ([[0, -1, 5]], ["document 0 has tokens -1 to 5", f"vocabulary of {VOCABULARY}"]),
    ],
    ids=["too short", "too high", "negative"],
)
def test_tokens_out_of_order(model, tmp_path, tokens, words):
    write_tokens(tmp_path / "tokens.parquet", *tokens)
    complaint(measure(tmp_path), *words)


def test_a_context_beyond_the_model(model, tmp_path):
    write_tokens(tmp_path / "tokens.parquet", [0, 5, 6])
    said = measure(tmp_path, context=65)
    complaint(said, "models.tiny.context: 65 positions", "64", "lower it")


def test_tokens_that_are_none(model, tmp_path):
    write_tokens(tmp_path / "tokens.parquet", [0, 5, 6])
    whole = (tmp_path / "tokens.parquet").read_bytes()
    (tmp_path / "tokens.parquet").write_bytes(whole[: len(whole) // 2])
    said = measure(tmp_path)
    complaint(said, "tokens.parquet: not a whole Parquet file", "rm 'tokens.parquet'")


def test_weights_damaged_since_they_were_fetched(model, tmp_path):
    write_tokens(tmp_path / "tokens.parquet", [0, 5, 6])
    complaint(measure(tmp_path), "models/tiny", "model.safetensors")


@pytest.mark.parametrize(
    ("value", "name", "row", "words"),
    [
        (torch.nan, "model.layers.2.mlp.down_proj.weight", 3, ["its own logits are NaN", "dtype"]),
        (torch.inf, "model.embed_tokens.weight", 200, ["layer 0", "document 1 at position 2"]),
    ],
    ids=["everywhere", "at one token"],
)
def test_activations_that_are_no_numbers(finished, tmp_path, value, name, row, words):
    model = shutil.copytree(finished.work / "results/models/tiny", tmp_path / "models/tiny")
    weights = load_file(model / "model.safetensors")
    weights[name][row, 4] = value
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    write_tokens(tmp_path / "tokens.parquet", [0, 5, 6], [0, 5, 200, 7])
    complaint(measure(tmp_path), "models.tiny", *words)


# What comes after.


@pytest.fixture
def damaged(finished, tmp_path):
    """A copy of one result, cut to half its length."""

    def cut(path):
        whole = (finished.work / "results" / path).read_bytes()
        (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
        return "cut.parquet"

    return cut


ENTROPY = ["--svg=out.of/entropy.svg", "--pdf=out.of/entropy.pdf"]

COMMANDS = {
    "thermodynamics.count_states": (
        "energies/model=tiny/dataset=text/layer=0/shard=0.parquet",
        ["--layers=0", "--out=out.parquet"],
    ),
    "thermodynamics.estimate_curves": (
        "states/model=tiny/dataset=text/shard=0.parquet",
        ["--layers=0", "--wells=w.parquet", "--out=out.parquet"],
    ),
    "running.tabulate": ("wells/model=tiny/dataset=text.parquet", ["--out=out.csv"]),
    "thermodynamics.plot_wells": (
        "wells/model=tiny/dataset=text.parquet",
        ["--svg=out.svg", "--pdf=out.pdf"],
    ),
    "thermodynamics.plot_curves": (
        "curves/model=tiny/dataset=text/layer=0.parquet",
        ["--across=model", *ENTROPY],
    ),
    "thermodynamics.plot_curves, with a map": (
        "curves/model=tiny/dataset=text/layer=0.parquet",
        ["--across=layer", *ENTROPY, "--map-svg=out.svg", "--map-pdf=out.pdf"],
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_parquet_files_that_are_not_what_they_should_be(name, finished, damaged, tmp_path):
    path, options = COMMANDS[name]
    name = name.partition(",")[0]
    cut = damaged(path)
    said = command(name, cut, *options, cwd=tmp_path)
    complaint(said, "cut.parquet: not a whole Parquet file", "rm 'cut.parquet'")

    foreign = pa.table({"energy": [0.5], "something": ["else"]})
    write_table(tmp_path / "foreign.parquet", foreign, {})
    # Which table is expected, `tabulate` learns from the others.
    others = [finished.work / "results" / path] * 2 if name == "running.tabulate" else []
    said = command(name, "foreign.parquet", *others, *options, cwd=tmp_path)
    complaint(said, "foreign.parquet: not the table expected here", "rm 'foreign.parquet'")

    stripped = pq.ParquetFile(finished.work / "results" / path).read().replace_schema_metadata()
    pq.write_table(stripped, tmp_path / "stripped.parquet")
    said = command(name, "stripped.parquet", *options, cwd=tmp_path)
    complaint(said, "stripped.parquet: carries no provenance", "rm 'stripped.parquet'")
    assert not list(tmp_path.glob("out.*"))


def test_bytes_flipped_inside_a_table(finished, tmp_path):
    """The end of the file, where its description stands, is whole."""
    path, options = COMMANDS["thermodynamics.estimate_curves"]
    content = bytearray((finished.work / "results" / path).read_bytes())
    content[200:400] = np.random.default_rng(0).bytes(200)
    (tmp_path / "flipped.parquet").write_bytes(content)
    said = command("thermodynamics.estimate_curves", "flipped.parquet", *options, cwd=tmp_path)
    complaint(said, "flipped.parquet", "rm 'flipped.parquet'")


def test_an_energy_that_is_none(finished, tmp_path):
    path, options = COMMANDS["thermodynamics.count_states"]
    table = pq.ParquetFile(finished.work / "results" / path).read()
    energy = table["energy"].to_numpy().copy()
    energy[3] = np.nan
    index = table.column_names.index("energy")
    table = table.set_column(index, table.schema.field("energy"), pa.array(energy, pa.float32()))
    pq.write_table(table, tmp_path / "nan.parquet")
    said = command("thermodynamics.count_states", "nan.parquet", *options, cwd=tmp_path)
    complaint(said, "nan.parquet", "energy nan", "delete it")


def test_energies_of_another_layer(finished, tmp_path):
    path, _ = COMMANDS["thermodynamics.count_states"]
    shutil.copy(finished.work / "results" / path, tmp_path / "zero.parquet")
    said = command(
        "thermodynamics.count_states", "zero.parquet", "--layers=1", "--out=o.parquet", cwd=tmp_path
    )
    complaint(said, "zero.parquet", "another layer than 1", "delete it")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--layer-b=2"], ["shard=0.parquet: counted on another energy grid or at other layers"]),
        (["--layer-b=3", "--paired"], ["tiny on text and tiny on text-shuffled", "same blocks"]),
    ],
    ids=["of a layer not counted", "of other documents"],
)
def test_states_that_cannot_be_compared(finished, tmp_path, options, words):
    states = finished.work / "results/states/model=tiny"
    given = ["--states-a", *sorted((states / "dataset=text").glob("*.parquet")), "--layer-a=3"]
    given += ["--states-b", states / "dataset=text-shuffled/shard=0.parquet"]
    given += ["--distances=d.parquet", "--out=out.parquet"]
    complaint(command("comparisons.compare_curves", *given, *options, cwd=tmp_path), *words)
    assert not list(tmp_path.iterdir())


def test_a_damaged_result_is_remade_once_deleted(altered):
    """The remedy that the message names works."""
    path = altered.work / "results/states/model=tiny/dataset=text/shard=0.parquet"
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    target = "results/wells/model=tiny/dataset=text.parquet"
    said = altered.snakemake("--cores=1", "--forcerun=estimate_curves_tiny", target)
    assert said.code == 1
    assert "not a whole Parquet file" in said.text
    path.unlink()
    altered.run(target)
    assert path.read_bytes() == good
