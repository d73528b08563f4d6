"""The files that a snapshot is made of: all that are read, whole, and nothing else."""

import json
import os

import pytest

from tests.running.test_verify import verify
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.layout import model_files, state_of, state_of_texts

OF_TINY = ["config.json", "generation_config.json", "model.safetensors"]
OF_TINY += ["tokenizer.json", "tokenizer_config.json"]


def names(folder):
    found = model_files("models.tiny.path", str(folder))
    assert all(path.startswith(f"{folder}/") for path in found)
    return [path.removeprefix(f"{folder}/") for path in found]


def refused(folder):
    with pytest.raises(InputError) as raised:
        names(folder)
    sentence = str(raised.value)
    assert sentence.startswith("models.tiny.path: ") and "\n" not in sentence
    return sentence.removeprefix("models.tiny.path: ").replace(str(folder), "F")


def test_everything_that_is_read_is_named_and_nothing_else(local):
    read = ["added_tokens.json", "merges.txt", "special_tokens_map.json", "tokenizer.model"]
    read += ["vocab.json", "qwen.tiktoken"]
    other = ["README.md", "pytorch_model.bin", "model.gguf", "evil.py", ".hidden.json"]
    other += ["._model.safetensors", "consolidated.safetensors", "model.fp16.safetensors"]
    for name in [*read, *other]:
        (local / name).write_text("{}")
    for name in ["original", "a folder.json"]:
        (local / name).mkdir()
        (local / name / "config.json").write_text("{}")
    assert names(local) == sorted(OF_TINY + read)


def test_a_folder_that_is_a_link_and_files_that_are(local, tmp_path):
    (tmp_path / "link").symlink_to(local)
    (local / "tokenizer.json").rename(tmp_path / "elsewhere.json")
    (local / "tokenizer.json").symlink_to(tmp_path / "elsewhere.json")
    assert names(tmp_path / "link") == OF_TINY


MISSING = {
    "config.json": "F holds no config.json (looked in ",
    "model.safetensors": "F holds no weights (*.safetensors) (looked in ",
    "tokenizer.json": "F holds no tokenizer (tokenizer.json) (looked in ",
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_named(local, name):
    """Without a tokenizer's files, transformers makes an empty one for some models."""
    (local / name).unlink()
    sentence = refused(local)
    assert sentence.startswith(MISSING[name])
    assert sentence.endswith("; correct the path, or put there what is missing")


def test_a_folder_that_is_not_there(tmp_path):
    assert refused(tmp_path / "x").startswith("no folder F (looked in ")


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors", "tokenizer_config.json"])
def test_a_broken_link_is_named(local, name):
    (local / name).unlink()
    (local / name).symlink_to(local / "gone")
    expected = f"F/{name} is a link to what is not there; fetch the file again"
    assert refused(local) == expected


def test_weights_by_another_name(local):
    (local / "model.safetensors").rename(local / "model.fp16.safetensors")
    assert refused(local) == (
        "F lacks the weights model.safetensors, it holds model.fp16.safetensors; fetch them again, "
        "or rename a complete set to model.safetensors"
    )
    (local / "config.json").write_text('{"transformers_weights": "model.fp16.safetensors"}')
    assert "model.fp16.safetensors" in names(local)


@pytest.mark.parametrize("shard", ["../model.safetensors", "a/model.safetensors", 3])
def test_an_index_names_files_of_its_folder(local, shard):
    (local / "model.safetensors").rename(local / "other.safetensors")
    index = {"weight_map": {"model.norm.weight": shard}}
    (local / "model.safetensors.index.json").write_text(json.dumps(index))
    assert refused(local).startswith(f"F lacks the weights {shard}, it holds other.safetensors; ")


@pytest.mark.parametrize("content", ["{", "[]", '{"weight_map": 3}', "{}"])
def test_an_index_that_is_none(local, content):
    (local / "model.safetensors").rename(local / "other.safetensors")
    (local / "model.safetensors.index.json").write_text(content)
    assert refused(local).startswith("F/model.safetensors.index.json ")


# Edited, as Snakemake and the records see it.


def edit(folder, name):
    if name == "tokenizer.json":
        path = folder / name
        said = json.loads(path.read_text())
        said["pre_tokenizer"]["add_prefix_space"] = True
        path.write_text(json.dumps(said))
    else:
        (folder / name).write_text("{}")


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
)
def test_an_edited_folder_is_fetched_anew(altered, name):
    target = "results/models/tiny/SHA256SUMS"
    assert altered.would_run(target) == set()
    edit(altered.work / "inputs/tiny", name)
    assert altered.would_run(target) == {"Fetching model tiny"}


def test_a_folder_of_older_files_is_fetched_anew(altered):
    """As `cp -p` leaves a file, or a link that leads elsewhere now."""
    target, folder = "results/models/tiny/SHA256SUMS", altered.work / "inputs/tiny"
    path = folder / "tokenizer.json"
    before = path.stat()
    edit(folder, path.name)
    os.utime(path, (before.st_atime, before.st_mtime - 1000))
    assert altered.would_run(target) == {"Fetching model tiny"}


def test_a_folder_that_has_moved_or_is_touched_is_not(altered):
    folder = altered.work / "inputs/tiny"
    folder.rename(altered.work / "inputs/elsewhere")
    folder.symlink_to("elsewhere")
    for path in folder.iterdir():
        path.touch()
    assert altered.would_run("results/models/tiny/SHA256SUMS") == set()


def test_the_state_of_large_files_is_their_size_and_date(tmp_path, monkeypatch):
    monkeypatch.setattr("workflow_scripts.sources.layout.SMALL", 3)
    for name in ("a", "bb", "cccc"):
        (tmp_path / name).write_text(name)
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    before = state_of(files)
    for path in files:
        os.utime(path, (1, 1))
    after = state_of(files)
    assert before[:2] == after[:2] and after[2] == "cccc 1000000000 4" != before[2]


def test_a_text_replaced_by_an_older_one(altered):
    target, path = "results/corpora/text.parquet", altered.work / "inputs/texts/03.txt"
    path.touch()
    assert altered.would_run(target) == set()
    path.write_text("other words, written long ago")
    os.utime(path, (1e9, 1e9))
    assert altered.would_run(target) == {"Fetching corpus text"}


def test_the_state_of_many_texts_is_their_names_and_sizes(tmp_path, monkeypatch):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    files = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    small = state_of_texts(files)
    monkeypatch.setattr("workflow_scripts.sources.layout.SMALL", 9)
    large = state_of_texts(files)
    (tmp_path / "b.txt").write_text("c.txt")
    assert state_of_texts(files) == large
    (tmp_path / "b.txt").write_text("longer")
    assert len({small, large, state_of_texts(files)}) == 3


def test_verify_names_an_edited_tokenizer(altered):
    path = altered.work / "inputs/tiny/tokenizer.json"
    before = path.stat()
    edit(path.parent, path.name)
    os.utime(path, (before.st_atime, before.st_mtime))
    assert "results/models/tiny/config.json: inputs/tiny/tokenizer.json has changed" in (
        verify(altered).text
    )
