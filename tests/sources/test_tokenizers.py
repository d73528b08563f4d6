"""The tokenizer of a snapshot is the folder's own."""

import json

import pytest
from tokenizers import Tokenizer, normalizers, pre_tokenizers

from tests.tiny import BLOCKS, PREFIX
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.copy_local_model import copy_local_model
from workflow_scripts.sources.folders import load_folder

TEXTS = ["1111 a", "A's a", "aa  aaa", "\u00e9 e\u0301", f"a{PREFIX}b"]

BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False)
OWN = {
    "digits apart": (pre_tokenizers.Sequence([pre_tokenizers.Digits(True), BYTES]), None),
    "a space before": (pre_tokenizers.ByteLevel(add_prefix_space=True), None),
    "letters composed": (BYTES, normalizers.NFC()),
}
CLASSES = ["GPT2Tokenizer", "GPTNeoXTokenizer", "Qwen2Tokenizer", "CohereTokenizer"]
CLASSES += ["GemmaTokenizer", "LlamaTokenizer", "PreTrainedTokenizerFast"]


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("named", CLASSES)
def test_a_tokenizer_is_not_made_anew_by_the_class_that_is_named(local, tmp_path, named, own):
    """transformers does, with that class's idea of digits, spaces and accents."""
    path = local / "tokenizer.json"
    said = json.loads(path.read_text())
    said["model"] |= {"vocab": said["model"]["vocab"] | {"11": 257}, "merges": [["1", "1"]]}
    tokenizer = Tokenizer.from_str(json.dumps(said))
    tokenizer.pre_tokenizer, normalizer = OWN[own]
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.save(str(path))
    (local / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": named}))
    copy_local_model(name="tiny", path=local, blocks=BLOCKS, out=tmp_path / "out")
    found = Tokenizer.from_file(str(tmp_path / "out/tokenizer.json"))
    assert found.get_vocab_size() == tokenizer.get_vocab_size()
    for text in TEXTS:
        assert found.encode(text).ids == tokenizer.encode(text).ids


def test_a_tokenizer_of_a_vocabulary_and_merges(local, snapshot, tmp_path):
    said = json.loads((local / "tokenizer.json").read_text())
    (local / "tokenizer.json").unlink()
    (local / "vocab.json").write_text(json.dumps(said["model"]["vocab"]))
    special = {"bos_token": PREFIX, "eos_token": PREFIX, "unk_token": PREFIX}
    about = {"tokenizer_class": "GPT2Tokenizer"} | special
    (local / "tokenizer_config.json").write_text(json.dumps(about))
    expected = rf"^key: {local} cannot be loaded as a fast tokenizer \(`vocab` and `merges` must "
    with pytest.raises(InputError, match=expected):
        load_folder("key", local)
    (local / "merges.txt").write_text("#version: 0.2\n")
    _, found, _ = load_folder("key", local)
    own = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    for text in TEXTS:
        assert found.encode(text).ids == own.encode(text).ids
