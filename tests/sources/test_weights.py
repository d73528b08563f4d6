"""Weights keep the precision of their files, are numbers, and come from one set of files."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.tiny import BLOCKS, save_tiny_model, tiny_model
from workflow_scripts.models.loading import Running, load
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.copy_local_model import copy_local_model
from workflow_scripts.sources.folders import load_folder


def fetched(folder, out):
    copy_local_model(name="tiny", path=folder, blocks=BLOCKS, out=out)
    return load_file(out / "model.safetensors"), json.loads((out / "provenance.json").read_text())


def rewrite(folder, change, name="model.safetensors"):
    """Change the tensors of a file, by their names."""
    weights = load_file(folder / name)
    change(weights)
    save_file(weights, folder / name, {"format": "pt"})


def says(folder, dtype):
    """Have config.json speak of a precision, whatever the weights are in."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dtype": dtype}))


# Precision.


@pytest.mark.parametrize("said", ["float16", "bfloat16", None])
def test_float32_is_not_rounded_to_what_the_configuration_says(local, tmp_path, said):
    says(local, said)
    found, provenance = fetched(local, tmp_path / "out")
    for name, weight in load_file(local / "model.safetensors").items():
        assert torch.equal(found[name], weight)
    assert provenance["precision"] == ["float32"]


@pytest.mark.parametrize("few", [torch.bfloat16, torch.float16])
def test_one_tensor_of_fewer_bits_does_not_round_the_others(local, tmp_path, few):
    def first_of_fewer_bits(weights):
        weights[min(weights)] = weights[min(weights)].to(few)

    says(local, None)
    rewrite(local, first_of_fewer_bits)
    found, provenance = fetched(local, tmp_path / "out")
    for name, weight in load_file(local / "model.safetensors").items():
        assert torch.equal(found[name], weight.float())
    assert provenance["precision"] == ["float32"]


def test_float16_beside_bfloat16_needs_float32(local):
    def mix(weights):
        for i, name in enumerate(sorted(weights)):
            weights[name] = weights[name].to([torch.float16, torch.bfloat16][i % 2])

    rewrite(local, mix)
    model, *_ = load_folder("key", local)
    for name, weight in load_file(local / "model.safetensors").items():
        assert torch.equal(model.state_dict()[name], weight.float())


def test_float64_is_rounded_once(local, tmp_path):
    def widen(weights):
        weights |= {name: weight.double() * (1 + 1e-12) for name, weight in weights.items()}

    rewrite(local, widen)
    found, _ = fetched(local, tmp_path / "out")
    for name, weight in load_file(local / "model.safetensors").items():
        assert torch.equal(found[name], weight.float())


@pytest.mark.parametrize("stored", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("measured", ["float32", "bfloat16"])
def test_a_model_runs_on_its_weights_in_the_precision_asked_for(tmp_path, stored, measured):
    """Exactly the snapshot's where that has fewer bits, rounded once where it has more."""
    folder = save_tiny_model(tmp_path / "local")
    tiny_model().to(getattr(torch, stored)).save_pretrained(folder)
    found, _ = fetched(folder, tmp_path / "out")
    layered, facts = load(Running(model=tmp_path / "out", dtype=measured), 8, "key")
    assert facts["dtype"] == measured
    for name, weight in layered.model.state_dict().items():
        assert torch.equal(weight, found[name].to(getattr(torch, measured)))


def test_weights_beyond_the_precision_asked_for_are_refused(local, tmp_path):
    def scale(weights):
        weights["model.layers.1.mlp.up_proj.weight"] *= 1e6

    rewrite(local, scale)
    fetched(local, tmp_path / "out")
    load(Running(model=tmp_path / "out", dtype="bfloat16"), 8, "key")
    expected = r"^models\.out\.dtype: float16 does not hold .* which model\.layers\.1\.mlp\.up_proj"
    with pytest.raises(InputError, match=expected):
        load(Running(model=tmp_path / "out", dtype="float16"), 8, "key")


# Numbers.


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
@pytest.mark.parametrize("name", ["model.embed_tokens.weight", "model.norm.weight"])
def test_what_is_no_weight_is_refused(local, tmp_path, name, value):
    """An embedding of 1e30 passes unnoticed otherwise: the norm makes it 0."""

    def spoil(weights):
        weights[name].view(-1)[3] = value

    rewrite(local, spoil)
    with pytest.raises(InputError, match=rf"^models\.tiny: {name} holds (NaN|values up to 1e\+30)"):
        fetched(local, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("dtype", [torch.int32, torch.int8, torch.bool])
def test_weights_of_integers_are_refused(local, tmp_path, dtype):
    def count(weights):
        weights["model.norm.weight"] = (weights["model.norm.weight"] * 10).to(dtype)

    rewrite(local, count)
    with pytest.raises(InputError, match=r"^models\.tiny\.path: model\.norm\.weight is in (I|B)"):
        fetched(local, tmp_path / "out")


def test_large_weights_are_taken(local, tmp_path):
    def scale(weights):
        weights["model.embed_tokens.weight"] *= 1e6

    rewrite(local, scale)
    fetched(local, tmp_path / "out")


# Files.


def shards(folder, parts=2):
    """Split the weights of a folder into files that an index names; returns their names."""
    weights = load_file(folder / "model.safetensors")
    names = [f"model-{i + 1:05d}-of-{parts:05d}.safetensors" for i in range(parts)]
    split = {file: sorted(weights)[i::parts] for i, file in enumerate(names)}
    for file, tensors in split.items():
        save_file({name: weights[name] for name in tensors}, folder / file, {"format": "pt"})
    index = {name: file for file, tensors in split.items() for name in tensors}
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": index}))
    (folder / "model.safetensors").unlink()
    return names


def test_weights_in_several_files(local, saved, tmp_path):
    shards(local, 3)
    found, _ = fetched(local, tmp_path / "out")
    for name, weight in load_file(saved / "model.safetensors").items():
        assert torch.equal(found[name], weight)


def test_a_file_that_the_index_names_and_is_not_there(local, tmp_path):
    first, second = shards(local)
    (local / second).unlink()
    with pytest.raises(InputError, match=rf"lacks the weights {second}, it holds {first}; fetch"):
        fetched(local, tmp_path / "out")


def test_an_index_that_is_older_than_its_files(local, tmp_path):
    """It knows two of three."""
    first, *_ = shards(local, 3)
    path = local / "model.safetensors.index.json"
    index = json.loads(path.read_text())["weight_map"]
    known = {name: file for name, file in index.items() if file != first}
    path.write_text(json.dumps({"metadata": {}, "weight_map": known}))
    with pytest.raises(InputError, match=r"lack .* \(and 9 more\), so they would be random; corr"):
        fetched(local, tmp_path / "out")


def test_a_tensor_in_two_files(local, tmp_path):
    """Which transformers takes depends on their order."""
    first, second = shards(local)
    name = min(load_file(local / first))

    def add(weights):
        weights[name] = load_file(local / first)[name] * 2

    rewrite(local, add, second)
    with pytest.raises(InputError, match=rf": {name} is in .*{first} and in .*{second}; remove "):
        fetched(local, tmp_path / "out")


def test_two_sets_of_weights(local, saved, tmp_path):
    shards(local)
    (local / "model.safetensors").write_bytes((saved / "model.safetensors").read_bytes())
    expected = r"holds two sets of weights, model\.safetensors and those of .*; remove one of them$"
    with pytest.raises(InputError, match=expected):
        fetched(local, tmp_path / "out")


def test_weights_in_other_layouts_beside_are_not_looked_at(local, snapshot, tmp_path):
    (local / "consolidated.safetensors").write_bytes(b"not read")
    (local / "pytorch_model.bin").write_bytes(b"not read")
    fetched(local, tmp_path / "out")
    sums = (tmp_path / "out" / "SHA256SUMS").read_text()
    assert sums == (snapshot / "SHA256SUMS").read_text()


def test_a_pointer_in_place_of_weights(local, tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (local / "model.safetensors").write_text(pointer)
    with pytest.raises(InputError, match=r"is a pointer of Git LFS .*; run `git lfs pull` there$"):
        fetched(local, tmp_path / "out")


def test_an_embedding_of_zeros(local, tmp_path):
    """It would pass: a norm of zeros is zeros, all logits are alike, and H is 0 throughout."""
    name = "model.embed_tokens.weight"
    rewrite(local, lambda weights: weights.update({name: weights[name] * 0}))
    with pytest.raises(InputError, match=r"its embedding is all zeros, so that every token is the"):
        fetched(local, tmp_path / "out")
