"""Models of every source end as one layout of snapshot."""

import json
import subprocess

import pytest
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer

from tests.models.every_type import save_tiny
from tests.tiny import BLOCKS, PREFIX, VOCABULARY, save_tiny_model, tiny_model, tiny_tokenizer
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.models.architecture import find_blocks
from workflow_scripts.sources.copy_local_model import copy_local_model
from workflow_scripts.sources.folders import load_folder
from workflow_scripts.sources.snapshots import DATA, write_snapshot


def fetched(folder, out, blocks=BLOCKS):
    copy_local_model(name="tiny", path=folder, blocks=blocks, out=out)
    return out


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
    versions = found["saved by"]["versions"]
    assert {"torch", "transformers", "tokenizers", "python"} == set(versions)


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


def test_another_number_of_blocks_is_refused(saved, tmp_path):
    with pytest.raises(InputError) as raised:
        fetched(saved, tmp_path / "out", blocks=12)
    assert str(raised.value) == (
        "models.tiny.blocks: the configuration says 12, the model has 3; correct it"
    )
    assert not (tmp_path / "out").exists()


def test_what_would_not_load_back_as_it_is_is_refused(saved, tmp_path):
    """Here, numbers that a model computes with and that no file of it holds."""
    model, tokenizer, _ = load_folder("key", saved)
    model.register_buffer("drawn", torch.rand(2), persistent=False)
    with pytest.raises(
        InputError, match=r"^models\.tiny: drawn of this LlamaForCausalLM is not sav"
    ):
        write_snapshot("tiny", {"source": "path"}, model, tokenizer, BLOCKS, tmp_path / "out/tiny")
    assert list((tmp_path / "out").iterdir()) == []


def test_weights_that_are_not_there_are_not_made_up(local):
    """transformers fills them with random numbers."""
    config = json.loads((local / "config.json").read_text()) | {"num_hidden_layers": 5}
    (local / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        InputError, match=r"^key: the weights of .* lack model\.layers\.3\.input_lay"
    ):
        load_folder("key", local)


def test_blocks_are_counted_where_the_configuration_counts_otherwise(tmp_path):
    """LongCat-Flash says twice as many layers as it has blocks."""
    folder = save_tiny("longcat_flash", tmp_path / "made")
    tiny_tokenizer().save_pretrained(folder)
    has = len(find_blocks(load_folder("models.x.path", folder)[0]))
    assert transformers.AutoConfig.from_pretrained(folder).num_hidden_layers == 2 * has
    assert (fetched(folder, tmp_path / "out", has) / "SHA256SUMS").is_file()
    with pytest.raises(InputError, match=rf"says {2 * has}, the model has {has}; correct it"):
        fetched(folder, tmp_path / "out", 2 * has)
