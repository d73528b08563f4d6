"""Every tensor of a model is in its files, and every one there has a place, or cannot matter."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.tiny import BLOCKS, save_tiny_model
from workflow_scripts.models.loading import Running, load
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.copy_local_model import copy_local_model
from workflow_scripts.sources.folders import load_folder

ONE = torch.ones(1)


def changed(folder, tensors=None, **config):
    """Add tensors to a folder's weights (None removes one), and keys to its configuration."""
    weights = load_file(folder / "model.safetensors")
    for name, tensor in (tensors or {}).items():
        if tensor is None:
            del weights[name]
        else:
            weights[name] = tensor.clone()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return folder


def sentence(folder):
    with pytest.raises(InputError) as raised:
        load_folder("models.tiny.path", folder)
    return str(raised.value).replace(str(folder), "F").removeprefix("models.tiny.path: ")


REFUSED = {
    "a tensor less": ({"model.norm.weight": None}, {}, "lack model.norm.weight, so they would be "),
    "the head less": ({"lm_head.weight": None}, {}, "lack lm_head.weight, so they would be "),
    "another shape": (
        {"model.norm.weight": torch.ones(16)},
        {},
        "hold model.norm.weight of shape (16,), where the model has (32,); correct ",
    ),
    "another shape in the configuration": (
        {},
        {"intermediate_size": 64},
        "hold model.layers.0.mlp.down_proj.weight of shape (32, 48), where the model has (32, 64); "
        "correct ",
    ),
    "a block more": ({}, {"num_hidden_layers": 2}, "hold model.layers.2.input_layernorm.weight "),
    "a bias": ({"model.layers.0.self_attn.q_proj.bias": torch.ones(32)}, {}, "q_proj.bias, which"),
    "an adapter's": ({"model.layers.0.self_attn.q_proj.lora_A.weight": ONE}, {}, "hold model.lay"),
    "another head": ({"score.weight": torch.ones(2, 32)}, {}, "hold score.weight, which the "),
    "a block after the last": ({"model.layers.3.mlp.up_proj.weight": ONE}, {}, "hold model.layers"),
    "a bias called as a mask": ({"model.layers.0.attn.bias": torch.ones(96)}, {}, "attn.bias, w"),
}


@pytest.mark.parametrize("change", REFUSED)
def test_what_may_change_a_number_is_refused(local, change):
    tensors, config, words = REFUSED[change]
    found = sentence(changed(local, tensors, **config))
    assert found.startswith("the weights of F ") and words in found
    assert found.endswith("; correct config.json, or fetch the files again")


HARMLESS = {
    "masks": {
        "model.layers.0.attn.bias": torch.ones(1, 1, 8, 8, dtype=torch.bool),
        "model.layers.0.attention.masked_bias": torch.tensor(-1e9),
    },
    "rotary frequencies": {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)},
    "blocks that look ahead": {
        "mtp.layers.0.mlp.up_proj.weight": ONE,
        "model.mtp.norm.weight": ONE,
    },
    "a block that looks ahead": {
        "model.layers.3.eh_proj.weight": ONE,
        "model.layers.3.mlp.up_proj.weight": ONE,
    },
    "a tower of vision": {
        "vision_tower.encoder.layers.0.self_attn.q_proj.weight": ONE,
        "model.multi_modal_projector.linear_1.weight": ONE,
    },
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_cannot_change_a_number_is_left_out_and_named(local, snapshot, tmp_path, kind, caplog):
    changed(local, HARMLESS[kind])
    with caplog.at_level("INFO"):
        copy_local_model(name="tiny", path=local, blocks=BLOCKS, out=tmp_path / "out")
    ours = load_file(tmp_path / "out/model.safetensors")
    assert ours.keys() == load_file(snapshot / "model.safetensors").keys()
    if kind != "rotary frequencies":  # transformers knows of them
        assert f"left out what does not change the text's probabilities: {min(HARMLESS[kind])}" in (
            caplog.text
        )


def test_an_unembedding_that_is_tied_and_is_not(tmp_path):
    folder = save_tiny_model(tmp_path / "local", family="Llama, tied")
    embedding = load_file(folder / "model.safetensors")["model.embed_tokens.weight"]
    load_folder("key", changed(folder, {"lm_head.weight": embedding.clone()}))
    assert sentence(changed(folder, {"lm_head.weight": embedding + 1})) == (
        "the weights of F hold lm_head.weight and model.embed_tokens.weight, which differ, while "
        "config.json ties them; set tie_word_embeddings to false there if the weights are right"
    )
    model, *_ = load_folder("key", changed(folder, tie_word_embeddings=False))
    assert torch.equal(model.lm_head.weight, embedding + 1)


# Snapshots, when a model is run.


@pytest.mark.parametrize("change", ["a tensor less", "a bias", "another shape"])
def test_a_snapshot_that_is_not_the_models_is_not_run(local, tmp_path, change):
    copy_local_model(name="tiny", path=local, blocks=BLOCKS, out=tmp_path / "tiny")
    tensors, *_ = REFUSED[change]
    changed(tmp_path / "tiny", tensors)
    with pytest.raises(InputError) as raised:
        load(Running(model=tmp_path / "tiny"), 8, "key")
    name, found = min(tensors), str(raised.value)
    assert found.startswith(f"{tmp_path / 'tiny/model.safetensors'}: ") and name in found
    assert found.endswith(f"; delete the folder {tmp_path / 'tiny'} and run snakemake again")
