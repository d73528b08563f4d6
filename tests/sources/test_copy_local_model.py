"""A model of a local folder is taken in safely and whole, or refused in one sentence."""

import json
import os
import pickle
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.runs import complaint
from tests.sources.fetching import fetch_model
from tests.tiny import BLOCKS
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.copy_local_model import copy_local_model


def fetched(folder, out):
    copy_local_model(name="tiny", path=folder, blocks=BLOCKS, out=out)
    return out


def edited(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_pickled_weights_are_never_loaded(local, tmp_path):
    (local / "model.safetensors").unlink()

    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "it ran",))

    (local / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError) as raised:
        fetched(local, tmp_path / "out")
    assert not (tmp_path / "it ran").exists()
    assert str(raised.value) == (
        f"models.tiny.path: the weights of {local} are pickled (pytorch_model.bin), and pickles "
        f"are never loaded, since they can run code; if you trust them, convert them once: "
        f"python -c 'from transformers import AutoModelForCausalLM as M; "
        f'f = "{local}"; M.from_pretrained(f).save_pretrained(f)\''
    )


def test_pickled_weights_are_converted_as_the_sentence_says(local, tmp_path):
    torch.save(load_file(local / "model.safetensors"), local / "pytorch_model.bin")
    (local / "model.safetensors").unlink()
    with pytest.raises(InputError) as raised:
        fetched(local, tmp_path / "out")
    _, python, *arguments = shlex.split(str(raised.value).partition("convert them once: ")[2])
    assert python == "-c"
    subprocess.run([sys.executable, "-c", *arguments], check=True)
    assert fetched(local, tmp_path / "out").is_dir()


def test_a_models_own_code_is_never_run(local, tmp_path):
    (local / "evil.py").write_text(f"open({str(tmp_path / 'it ran')!r}, 'w')\n")
    classes = {"AutoConfig": "evil.A", "AutoModelForCausalLM": "evil.B"}
    edited(local / "config.json", model_type="evil", auto_map=classes)
    with pytest.raises(InputError, match=r"^models\.tiny\.path: .* cannot be loaded as a causal "):
        fetched(local, tmp_path / "out")
    assert not (tmp_path / "it ran").exists()


DAMAGES = {
    "no configuration": lambda folder: (folder / "config.json").unlink(),
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "half the weights": lambda folder: os.truncate(folder / "model.safetensors", 5000),
    "no JSON": lambda folder: (folder / "config.json").write_text("{"),
    "no language model": lambda folder: edited(folder / "config.json", model_type="vit"),
    "another shape": lambda folder: edited(folder / "config.json", hidden_size=64),
    "no tokenizer": lambda folder: [path.unlink() for path in folder.glob("tokenizer*")],
    "strange tokenizer": lambda folder: (folder / "tokenizer.json").write_text("{}"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_one_sentence(damage, local, tmp_path):
    DAMAGES[damage](local)
    with pytest.raises(InputError) as raised:
        fetched(local, tmp_path / "out")
    sentence = str(raised.value)
    assert sentence.startswith("models.tiny.path: ") and str(local) in sentence
    assert "\n" not in sentence
    assert not (tmp_path / "out").exists()


# By its command line.


def run(folder, path, blocks=BLOCKS):
    return fetch_model("copy_local_model", folder, f"--path={path}", f"--blocks={blocks}")


def test_the_command_makes_a_snapshot(saved, snapshot, tmp_path):
    said = run(tmp_path, saved)
    assert said.code == 0, said.text
    sums = (tmp_path / "models/tiny/SHA256SUMS").read_text()
    assert sums == (snapshot / "SHA256SUMS").read_text()


def test_a_model_with_another_number_of_blocks(saved, tmp_path):
    said = run(tmp_path, saved, blocks=7)
    complaint(said, "models.tiny.blocks", "says 7", f"has {BLOCKS}", "correct it")


def test_a_folder_without_a_model(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/config.json").write_text("{}")
    said = run(tmp_path, tmp_path / "source")
    complaint(said, "models.tiny", str(tmp_path / "source"), "no weights (*.safetensors)")


@pytest.mark.parametrize("content", [b"garbage", b""], ids=["garbage", "empty"])
def test_damaged_weights(local, tmp_path, content):
    (local / "model.safetensors").write_bytes(content)
    complaint(run(tmp_path, local), "models.tiny.path", str(local))
