"""Quantised weights become the floating-point numbers that they stand for, or are refused."""

import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from tests.tiny import BLOCKS, save_tiny_model, tiny_tokenizer
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.copy_local_model import copy_local_model
from workflow_scripts.sources.folders import load_folder

BLOCK = 16
E2M1 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
KEPT = ("lm_head", "embed", "gate.weight")
"""Matrices that stay as they are, as in published checkpoints."""


def rewritten(folder, weights, **config):
    """Replace weights of a folder, and keys of its configuration."""
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return folder


def to_float8(weight, scale_dtype=torch.float32):
    """Float8 values and scales of one matrix, and what they stand for."""
    rows, columns = (size // BLOCK for size in weight.shape)
    parts = weight.reshape(rows, BLOCK, columns, BLOCK)
    scale = (parts.abs().amax((1, 3)) / 448).to(scale_dtype)
    factor = scale.float()[:, None, :, None]
    values = (parts / factor).to(torch.float8_e4m3fn)
    meant = (values.float() * factor).reshape(weight.shape)
    return values.reshape(weight.shape), scale, meant


def float8_model(folder, family="Llama", scale_dtype=torch.float32):
    """A folder in float8 with scales of blocks; returns what its weights stand for."""
    weights, meant = load_file(save_tiny_model(folder, family=family) / "model.safetensors"), {}
    for name in list(weights):
        meant[name] = weights[name]
        if weights[name].dim() == 2 and not any(kept in name for kept in KEPT):
            values, scale, meant[name] = to_float8(weights[name], scale_dtype)
            weights |= {name: values, f"{name}_scale_inv": scale}
    about = {"quant_method": "fp8", "weight_block_size": [BLOCK, BLOCK]}
    rewritten(folder, weights, quantization_config=about | {"activation_scheme": "dynamic"})
    return meant


def mxfp4_model(folder):
    """A folder of a model of experts in mxfp4; returns what its weights stand for."""
    small = {"vocab_size": 257, "hidden_size": 32, "head_dim": 8, "intermediate_size": 32}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": BLOCKS}
    config = transformers.GptOssConfig(
        **small, **heads, num_local_experts=4, num_experts_per_tok=2, pad_token_id=0
    )
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    weights, meant = load_file(folder / "model.safetensors"), {}
    for name in list(weights):
        meant[name] = weights[name]
        if name.endswith("_proj") and "experts" in name:
            experts, n_in, n_out = weights.pop(name).shape
            codes = torch.randint(0, 16, (experts, n_out, n_in // 32, 32))
            exponents = torch.randint(110, 128, (experts, n_out, n_in // 32))
            values = E2M1[codes] * torch.exp2(exponents - 127.0)[..., None]
            meant[name] = values.reshape(experts, n_out, n_in).transpose(1, 2).bfloat16()
            weights[f"{name}_scales"] = exponents.to(torch.uint8)
            weights[f"{name}_blocks"] = (codes[..., ::2] | codes[..., 1::2] << 4).to(torch.uint8)
    rewritten(folder, weights, quantization_config={"quant_method": "mxfp4"})
    return meant


def check_snapshot(folder, meant, out, dtype):
    """It holds what is meant, and loads again without a word of quantisation."""
    copy_local_model(name="tiny", path=folder, blocks=BLOCKS, out=out)
    config = json.loads((out / "config.json").read_text())
    assert "quantization_config" not in config
    plain = folder.parent / "plain"
    plain.mkdir()
    (plain / "config.json").write_text(json.dumps(config))
    rewritten(plain, {name: weight.contiguous() for name, weight in meant.items()})
    load = transformers.AutoModelForCausalLM.from_pretrained
    expected = load(plain, dtype=dtype).state_dict()
    loaded, found = load(out, dtype=dtype, output_loading_info=True)
    assert not any(found.values()), found
    for name, weight in loaded.state_dict().items():
        assert torch.equal(weight, expected[name]), name
    provenance = json.loads((out / "provenance.json").read_text())
    assert provenance["precision"] == [str(dtype).removeprefix("torch.")]
    return provenance


@pytest.mark.parametrize("family", ["Llama", "Mixtral", "Qwen3"])
def test_float8_with_scales_of_blocks(tmp_path, family):
    meant = float8_model(tmp_path / "local", family)
    found = check_snapshot(tmp_path / "local", meant, tmp_path / "out", torch.float32)
    assert found["dequantised"] == "fp8"


def test_float8_with_scales_of_fewer_bits_is_not_rounded_to_them(tmp_path):
    meant = float8_model(tmp_path / "local", scale_dtype=torch.bfloat16)
    check_snapshot(tmp_path / "local", meant, tmp_path / "out", torch.float32)


def test_mxfp4(tmp_path):
    meant = mxfp4_model(tmp_path / "local")
    found = check_snapshot(tmp_path / "local", meant, tmp_path / "out", torch.bfloat16)
    assert found["dequantised"] == "mxfp4"


def test_float8_without_scales_is_what_it_says(tmp_path):
    folder = save_tiny_model(tmp_path / "local")
    weights = load_file(folder / "model.safetensors")
    rewritten(folder, {name: x.to(torch.float8_e4m3fn) for name, x in weights.items()})
    model, *_ = load_folder("key", folder)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight.float(), weights[name].to(torch.float8_e4m3fn).float())


METHODS = ["awq", "bitnet", "compressed-tensors", "gptq", "modelopt", "torchao", "quanto"]


@pytest.mark.parametrize("where", ["", "text_config"])
@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_undone_is_refused_before_weights_are_read(local, method, where):
    about = {"quantization_config": {"quant_method": method}}
    rewritten(local, {}, **({where: about} if where else about))
    (local / "model.safetensors").write_bytes(b"not read")
    with pytest.raises(InputError) as raised:
        load_folder("models.tiny.path", local)
    assert str(raised.value) == (
        f"models.tiny.path: the weights of {local} are quantised by {method} (config.json), which "
        f"is not undone here (only fp8 and mxfp4 are); take the model that it was made from, or "
        f"dequantise and save it with the tool that made it"
    )


@pytest.mark.parametrize(
    "about",
    [
        {"quantization": {"group_size": 64, "bits": 4}},  # of MLX
        {"compression_config": {"format": "dense"}},
        {"quantization_config": ["x"]},
    ],
)
def test_what_is_not_understood_is_refused(local, about):
    rewritten(local, {}, **about)
    with pytest.raises(InputError, match=r"are quantised by an unnamed method \(config\.json\), "):
        load_folder("key", local)


@pytest.mark.parametrize("block", [3, [16], [16, 16, 16], ["16", "16"]])
def test_a_block_that_is_none_is_refused(tmp_path, block):
    float8_model(tmp_path / "local")
    about = {"quant_method": "fp8", "weight_block_size": block}
    rewritten(tmp_path / "local", {}, quantization_config=about)
    with pytest.raises(InputError, match=r"^key: weight_block_size of config\.json is .*; correct"):
        load_folder("key", tmp_path / "local")


def ragged(folder):
    """48 rows in blocks of 32: transformers takes two blocks of 24."""
    weights = load_file(folder / "model.safetensors")
    scales = {n: s for n, s in weights.items() if n.endswith("_scale_inv")}
    weights |= {
        n: torch.rand([-(-size * BLOCK // 32) for size in s.shape]) for n, s in scales.items()
    }
    about = json.loads((folder / "config.json").read_text())["quantization_config"]
    rewritten(folder, weights, quantization_config=about | {"weight_block_size": [32, 32]})


def without(folder, ending):
    weights = load_file(folder / "model.safetensors")
    del weights[min(name for name in weights if name.endswith(ending))]
    rewritten(folder, weights)


def undeclared(folder):
    rewritten(folder, load_file(folder / "model.safetensors"), quantization_config=None)


DAMAGES = {
    "blocks that do not fit": (ragged, "is not in whole blocks (scales 1 × 2, weight_block_size "),
    "a weight without scales": (lambda f: without(f, "_scale_inv"), "in float8 without scales"),
    "scales without weights": (
        lambda f: without(f, "k_proj.weight"),
        "lack model.layers.0.self_at",
    ),
    "quantised without saying so": (undeclared, "_scale_inv (and 20 more), which the model has no"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_half_of_a_quantised_model_is_refused(tmp_path, damage):
    float8_model(tmp_path / "local")
    make, words = DAMAGES[damage]
    make(tmp_path / "local")
    with pytest.raises(InputError) as raised:
        load_folder("models.tiny.path", tmp_path / "local")
    assert words in str(raised.value)


def test_mxfp4_without_scales_is_refused(tmp_path):
    mxfp4_model(tmp_path / "local")
    without(tmp_path / "local", "_scales")
    with pytest.raises(
        InputError, match=r"^key: model\.layers\.0.*_blocks has no scales model\.la"
    ):
        load_folder("key", tmp_path / "local")
