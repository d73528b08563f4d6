"""What config.json says twice or by half is refused; how a model was run is no part of it."""

import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from tests.tiny import BLOCKS
from workflow_scripts.models.loading import Running, load
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.copy_local_model import copy_local_model
from workflow_scripts.sources.folders import load_folder

LINEAR = {"rope_type": "linear", "factor": 4.0}


def configured(folder, *dropped, **keys):
    path = folder / "config.json"
    said = json.loads(path.read_text()) | keys
    path.write_text(json.dumps({key: said[key] for key in said if key not in dropped}))
    return folder


REFUSED = {
    "an old key": ({"rope_pct": 0.25}, "says rope_pct, an old key that transformers passes over"),
    "a factor and no type": (
        {"rope_theta": 1e4, "rope_scaling": {"factor": 4.0}},
        "scales rotary frequencies by a factor of 4.0 and does not say how, so they would not be",
    ),
    "two types": (
        {"rope_theta": 1e4, "rope_scaling": LINEAR | {"type": "dynamic"}},
        "gives two values of rope_type, dynamic and linear, of which one would be taken",
    ),
    "two bases": (
        {"rope_theta": 1e4, "rope_parameters": {"rope_type": "default", "rope_theta": 5e5}},
        "gives two values of rope_theta, 10000.0 and 500000.0, of which one would be taken",
    ),
    "two factors": (
        {"rope_scaling": LINEAR, "rope_parameters": LINEAR | {"rope_theta": 1e4, "factor": 8.0}},
        "gives two values of factor, 4.0 and 8.0, of which one would be taken",
    ),
    "in the part for text": (
        {"text_config": {"rope_scaling": {"factor": 2.0}}},
        "scales rotary frequencies by a factor of 2.0 and does not say how",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_rotary_frequencies_of_which_two_things_are_said_are_refused(local, what):
    keys, words = REFUSED[what]
    configured(configured(local, "rope_parameters"), **keys)
    with pytest.raises(InputError) as raised:
        load_folder("models.tiny.path", local)
    assert str(raised.value).startswith(f"models.tiny.path: {local}/config.json {words}")


TAKEN = {
    "of version 4": {"rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 4.0}},
    "of both": {"rope_theta": 1e4, "rope_scaling": LINEAR | {"type": "linear"}},
    "of version 5": {"rope_parameters": LINEAR | {"rope_theta": 1e4}},
    "the same in two places": {
        "rope_theta": 10000,
        "rope_parameters": LINEAR | {"rope_theta": 1e4},
        "rope_scaling": LINEAR,
    },
}


@pytest.mark.parametrize("what", TAKEN)
def test_rotary_frequencies_are_those_of_any_version(local, what):
    configured(configured(local, "rope_parameters"), **TAKEN[what])
    model, _, _ = load_folder("key", local)
    assert model.model.rotary_emb.inv_freq[0].item() == 0.25


@pytest.mark.parametrize(
    "keys",
    [
        {"output_attentions": True},
        {"output_hidden_states": True},
        {"return_dict": False},
        {"attn_implementation": "flash_attention_2"},
        {"_attn_implementation": "flash_attention_2"},
    ],
)
def test_how_a_model_was_run_is_not_taken(local, tmp_path, keys):
    copy_local_model(
        name="tiny", path=configured(local, **keys), blocks=BLOCKS, out=tmp_path / "tiny"
    )
    layered, facts = load(Running(model=tmp_path / "tiny", device="cpu"), 8, "context")
    assert facts["attention"] == "sdpa"
    ids = torch.arange(1, 9)[None]
    expected = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / "tiny", attn_implementation="eager"
    )(ids).logits
    with torch.inference_mode():
        assert torch.allclose(layered.model(ids).logits, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["norm.weight", "model.model.norm.weight"])
def test_a_tensor_under_two_names_is_refused(local, name):
    path = local / "model.safetensors"
    weights = load_file(path)
    save_file(weights | {name: 2 * weights["model.norm.weight"]}, path, {"format": "pt"})
    with pytest.raises(InputError, match=r"hold model\.\S+ and \S+, of which one would be taken"):
        load_folder("models.tiny.path", local)
