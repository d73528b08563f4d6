"""An adapter beside a model's weights is merged into them, or refused; it is never passed over."""

import json
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.tiny import BLOCKS, tiny_model
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.copy_local_model import copy_local_model
from workflow_scripts.sources.folders import load_folder

LORA = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8}
TARGETS = {"self_attn.q_proj": (32, 32), "mlp.down_proj": (48, 32)}
"""Modules that the adapter changes: numbers in and out."""

Q_PROJ = "model.layers.0.self_attn.q_proj.weight"


@pytest.fixture
def adapted(local):
    """A model with an adapter in its folder, and the weights that they make together."""
    targets = [name.rpartition(".")[2] for name in TARGETS]
    (local / "adapter_config.json").write_text(json.dumps(LORA | {"target_modules": targets}))
    generator = torch.Generator().manual_seed(0)
    meant, adapter = load_file(local / "model.safetensors"), {}
    for block in range(BLOCKS):
        for module, (n_in, n_out) in TARGETS.items():
            name = f"model.layers.{block}.{module}"
            a = torch.randn(4, n_in, generator=generator)
            b = torch.randn(n_out, 4, generator=generator)
            adapter |= {
                f"base_model.model.{name}.lora_A.weight": a,
                f"base_model.model.{name}.lora_B.weight": b,
            }
            meant[f"{name}.weight"] = meant[f"{name}.weight"] + LORA["lora_alpha"] / 4 * b @ a
    save_file(adapter, local / "adapter_model.safetensors")
    return local, meant


def test_without_peft_it_is_refused(adapted, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(InputError) as raised:
        load_folder("models.tiny.path", adapted[0])
    assert str(raised.value) == (
        f"models.tiny.path: {adapted[0]} holds an adapter (adapter_config.json), and peft, which "
        f"merges it, is not installed; run `pip install peft`, or merge it yourself "
        f"(merge_and_unload), or remove adapter_config.json to take the model without it"
    )


def test_with_peft_it_is_merged(adapted, tmp_path):
    pytest.importorskip("peft")
    folder, meant = adapted
    copy_local_model(name="tiny", path=folder, blocks=BLOCKS, out=tmp_path / "out")
    found = load_file(tmp_path / "out/model.safetensors")
    assert found.keys() == meant.keys()
    for name, weight in meant.items():
        torch.testing.assert_close(found[name], weight)
    about = json.loads((tmp_path / "out/provenance.json").read_text())["adapter"]
    assert about["kind"] == "LORA" and "peft" in about["merged by"]["versions"]


def test_it_is_merged_in_float32(adapted):
    """The sum of bfloat16 weights and an adapter is not rounded to bfloat16."""
    pytest.importorskip("peft")
    folder, _ = adapted
    tiny_model().bfloat16().save_pretrained(folder)
    model, *_ = load_folder("key", folder)
    merged = model.state_dict()[Q_PROJ]
    assert merged.dtype == torch.float32
    assert not torch.equal(merged, merged.bfloat16().float())


@pytest.mark.parametrize("change", ["less", "more"])
def test_half_an_adapter_is_refused(adapted, change):
    pytest.importorskip("peft")
    path = adapted[0] / "adapter_model.safetensors"
    weights = load_file(path)
    if change == "less":
        del weights[min(weights)]
    else:
        weights["base_model.model.model.layers.7.mlp.down_proj.lora_A.weight"] = torch.ones(4, 48)
    save_file(weights, path)
    with pytest.raises(InputError, match=r"adapter_model\.safetensors is not the adapter of adapt"):
        load_folder("key", adapted[0])


def test_what_cannot_be_merged_is_refused(adapted):
    pytest.importorskip("peft")
    about = {"peft_type": "PROMPT_TUNING", "task_type": "CAUSAL_LM", "num_virtual_tokens": 4}
    (adapted[0] / "adapter_config.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"^key: the adapter of .* \(PROMPT_TUNING\) cannot be "):
        load_folder("key", adapted[0])


def test_an_adapter_whose_weights_are_pickled_is_refused(adapted):
    (adapted[0] / "adapter_model.safetensors").rename(adapted[0] / "adapter_model.bin")
    with pytest.raises(InputError, match=r"holds adapter_config\.json without adapter_model\.saf"):
        load_folder("key", adapted[0])


def test_an_adapter_alone_is_refused(adapted):
    for name in ("config.json", "model.safetensors"):
        (adapted[0] / name).unlink()
    with pytest.raises(InputError) as raised:
        load_folder("models.tiny.path", adapted[0])
    assert str(raised.value) == (
        f"models.tiny.path: {adapted[0]} holds an adapter without the model that it changes; put "
        f"both into one folder, or merge them with peft (merge_and_unload) and save what comes out"
    )
