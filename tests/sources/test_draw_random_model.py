"""A random twin has the architecture of a model, and weights that its seed alone tells."""

import json

import torch
from safetensors.torch import load_file

from tests.sources.fetching import fetch_model
from tests.tiny import BLOCKS
from workflow_scripts.sources.draw_random_model import draw_random_model


def random_twin(snapshot, out, seed):
    draw_random_model(
        name="twin", like="tiny", architecture=snapshot, seed=seed, blocks=BLOCKS, out=out
    )
    return load_file(out / "model.safetensors")


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
    for file in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        assert json.loads((tmp_path / "0" / file).read_text()) == json.loads(
            (snapshot / file).read_text()
        )


def test_the_command_draws_the_same_twin(snapshot, tmp_path):
    given = ["--like=tiny", f"--architecture={snapshot}", "--seed=1", f"--blocks={BLOCKS}"]
    said = fetch_model("draw_random_model", tmp_path, *given)
    assert said.code == 0, said.text
    random_twin(snapshot, tmp_path / "twin", 1)
    sums = (tmp_path / "models/tiny/SHA256SUMS").read_text()
    assert sums == (tmp_path / "twin/SHA256SUMS").read_text()
    found = json.loads((tmp_path / "models/tiny/provenance.json").read_text())
    assert found["source"] == {"source": "random", "like": "tiny", "seed": 1, "blocks": BLOCKS}
