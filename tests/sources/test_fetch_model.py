"""Models of every source end as one layout of snapshot, or in one sentence."""

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer
from workflow_scripts.sources.fetch_model import DATA, check_blobs, fetch, from_path

from tests.tiny import BLOCKS, PREFIX, VOCABULARY, save_tiny_model, tiny_model
from workflow_scripts.semstat.errors import InputError

ROOT = Path(__file__).parents[2]
REVISION = "0123456789" * 4


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def local(saved, tmp_path):
    """A local model, to do with as one likes."""
    return shutil.copytree(saved, tmp_path / "local")


@pytest.fixture(scope="module")
def snapshot(saved, tmp_path_factory):
    return fetched(saved, tmp_path_factory.mktemp("snapshots") / "tiny")


def fetched(folder, out, **changes):
    spec = {"source": "path", "path": str(folder), "blocks": BLOCKS}
    fetch("tiny", spec | changes, [], out)
    return out


def random_twin(snapshot, out, seed):
    spec = {"source": "random", "like": "tiny", "blocks": BLOCKS, "seed": seed}
    fetch("twin", spec, [snapshot / "SHA256SUMS"], out)
    return load_file(out / "model.safetensors")


def test_a_snapshot_is_complete_and_its_digests_right(snapshot):
    assert {path.name for path in snapshot.iterdir()} == {*DATA, "provenance.json", "SHA256SUMS"}
    assert [path.name for path in snapshot.parent.iterdir()] == ["tiny"], "nothing left over"
    check = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=snapshot, capture_output=True)
    assert check.returncode == 0 and check.stdout.count(b": OK") == len(DATA)


def test_a_snapshot_tells_where_it_comes_from(snapshot, saved):
    found = json.loads((snapshot / "provenance.json").read_text())
    assert found["source"] == {"source": "path", "path": str(saved), "blocks": BLOCKS}
    assert found["model"] == "tiny" and found["architecture"] == "LlamaForCausalLM"
    assert (found["vocabulary"], found["hidden"]) == (VOCABULARY, 32)
    assert found["parameters"] == tiny_model().num_parameters()
    assert {"torch", "transformers", "tokenizers", "python"} == set(found["versions"])


@torch.inference_mode()
def test_a_snapshot_is_the_same_model_and_the_same_tokenizer(snapshot):
    ids = torch.arange(40)[None]
    loaded = transformers.AutoModelForCausalLM.from_pretrained(snapshot)
    torch.testing.assert_close(loaded(ids).logits, tiny_model()(ids).logits, rtol=0, atol=0)
    tokenizer = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    assert tokenizer.token_to_id(PREFIX) == 0
    assert tokenizer.decode(tokenizer.encode("Ω is 1").ids) == "Ω is 1"


def test_weights_keep_their_precision(tmp_path):
    model = tiny_model().bfloat16()
    save_tiny_model(tmp_path / "half")
    model.save_pretrained(tmp_path / "half")
    out = fetched(tmp_path / "half", tmp_path / "out")
    assert {x.dtype for x in load_file(out / "model.safetensors").values()} == {torch.bfloat16}


def test_fetching_twice_gives_the_same_bytes(snapshot, saved, tmp_path):
    again = fetched(saved, tmp_path / "again")
    assert (again / "SHA256SUMS").read_text() == (snapshot / "SHA256SUMS").read_text()


def test_a_random_twin_has_the_architecture_and_follows_its_seed(snapshot, tmp_path):
    one, again, other = (
        random_twin(snapshot, tmp_path / str(i), seed) for i, seed in enumerate((0, 0, 1))
    )
    trained = load_file(snapshot / "model.safetensors")
    assert {name: x.shape for name, x in one.items()} == {n: x.shape for n, x in trained.items()}
    for name, tensor in one.items():
        assert torch.equal(tensor, again[name])
        assert tensor.dim() == 1 or not torch.equal(tensor, other[name])
        assert not torch.equal(tensor, trained[name])
    for file in ("tokenizer.json", "config.json"):
        assert json.loads((tmp_path / "0" / file).read_text()) == json.loads(
            (snapshot / file).read_text()
        )


def test_another_number_of_blocks_is_refused(saved, tmp_path):
    with pytest.raises(InputError) as raised:
        fetched(saved, tmp_path / "out", blocks=12)
    assert str(raised.value) == (
        "models.tiny.blocks: the configuration says 12, the model has 3; correct it"
    )
    assert not (tmp_path / "out").exists()


def test_pickled_weights_are_never_loaded(local, tmp_path):
    (local / "model.safetensors").unlink()

    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "it ran",))

    (local / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    expected = r"^models\.tiny\.path: .* does not hold config\.json and \*\.safetensors \(pickled "
    with pytest.raises(InputError, match=expected):
        fetched(local, tmp_path / "out")
    assert not (tmp_path / "it ran").exists()


def test_a_models_own_code_is_never_run(local, tmp_path):
    (local / "evil.py").write_text(f"open({str(tmp_path / 'it ran')!r}, 'w')\n")
    classes = {"AutoConfig": "evil.A", "AutoModelForCausalLM": "evil.B"}
    edited(local / "config.json", model_type="evil", auto_map=classes)
    with pytest.raises(InputError, match=r"^models\.tiny\.path: .* cannot be loaded as a causal "):
        fetched(local, tmp_path / "out")
    assert not (tmp_path / "it ran").exists()


def edited(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


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
    assert sentence.startswith(f"models.tiny.path: {local} ") and "\n" not in sentence
    assert not (tmp_path / "out").exists()


def test_weights_that_are_not_there_are_not_made_up(local):
    """transformers fills them with random numbers."""
    edited(local / "config.json", num_hidden_layers=5)
    with pytest.raises(
        InputError, match=r"^key: the weights of .* lack model\.layers\.3\.input_lay"
    ):
        from_path("key", local)


HUB = {"source": "hub", "hub": "owner/name", "revision": REVISION, "blocks": BLOCKS}

IMPATIENT = """
import runpy, sys, time
time.sleep = lambda seconds: None  # the hub's client waits 23 s between its retries
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


def command(out, **environment):
    run = [
        sys.executable,
        "-c",
        IMPATIENT,
        "workflow_scripts.sources.fetch_model",
        "--name",
        "tiny",
    ]
    return subprocess.run(
        [*run, "--spec", json.dumps(HUB), "--out", str(out)],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def hub_cache(folder, repository):
    """A folder as the hub's client keeps it: links to files that are named after their digests."""
    snapshot = repository / "snapshots" / REVISION
    for made in (snapshot, repository / "blobs"):
        made.mkdir(parents=True)
    for file in folder.iterdir():
        content = file.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        large = file.suffix == ".safetensors"
        name = (hashlib.sha256(content) if large else git).hexdigest()
        (repository / "blobs" / name).write_bytes(content)
        (snapshot / file.name).symlink_to(repository / "blobs" / name)
    return snapshot


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_download_with_another_digest_is_refused(saved, tmp_path, name):
    snapshot = hub_cache(saved, tmp_path / "models--owner--name")
    check_blobs("models.x.hub", snapshot)
    content = bytearray((snapshot / name).read_bytes())
    content[40] ^= 1
    (snapshot / name).resolve().write_bytes(content)
    with pytest.raises(
        InputError, match=rf"^models\.x\.hub: {name} is not what the hub has .*; del"
    ):
        check_blobs("models.x.hub", snapshot)


def test_a_cached_hub_model_needs_no_network(saved, snapshot, tmp_path):
    repository = tmp_path / "home" / "hub" / "models--owner--name"
    hub_cache(saved, repository)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(REVISION)
    run = command(tmp_path / "out", HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "home"))
    assert run.returncode == 0, run.stderr
    sums = (tmp_path / "out" / "SHA256SUMS").read_text()
    assert sums == (snapshot / "SHA256SUMS").read_text()
    assert json.loads((tmp_path / "out" / "provenance.json").read_text())["source"] == HUB


def test_a_hub_out_of_reach_is_one_sentence(tmp_path):
    away = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "home")}
    run = command(tmp_path / "out", **away)
    assert run.returncode == 1 and "Traceback" not in run.stderr
    sentence = run.stderr.splitlines()[-1]
    assert sentence.startswith("error: models.tiny.hub: cannot fetch owner/name at 012345678901 ")
    assert sentence.endswith("or fetch it once on a host with a network and set HF_HUB_OFFLINE=1")
    assert not (tmp_path / "out").exists()
