"""The tokenizer of a folder is what its files say, whatever class transformers has for it."""

import json

import pytest
import transformers
from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from tests.tiny import PREFIX, save_tiny_model
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.notebook import measure_energies
from workflow_scripts.sources.folders import load_folder
from workflow_scripts.sources.tokenizer_files import load_tokenizer

TEXT = "In 2023 there were 650841823 of them, weren't there?"


def trained(digits=3, dropout=None):
    """A byte-level BPE that splits numbers into so many digits, as Granite and OLMo 2 do."""
    words = Regex(rf"\p{{N}}{{1,{digits}}}|[^\s\p{{N}}]+|\s+")
    tokenizer = Tokenizer(BPE(dropout=dropout))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(words, "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=320,
        special_tokens=[PREFIX],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT] * 9, trainer)
    return tokenizer


def saved_in(folder, tokenizer, **told):
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", "vocab_size": 320}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": PREFIX} | told))
    return folder


def ids(tokenizer, text=TEXT):
    return tokenizer.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize(
    "told", [{}, {"tokenizer_class": "GPT2TokenizerFast"}, {"tokenizer_class": "Qwen2Tokenizer"}]
)
def test_text_is_split_as_tokenizer_json_says(tmp_path, told):
    tokenizer = trained()
    folder = saved_in(tmp_path, tokenizer, **told)
    assert ids(load_tokenizer(folder)) == ids(tokenizer)
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    assert theirs.encode(TEXT) != ids(tokenizer), "the library's class now does it right: drop ours"


def test_what_was_for_training_is_left_out(tmp_path):
    tokenizer = trained(dropout=0.5)
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=64)
    found = load_tokenizer(saved_in(tmp_path, tokenizer))
    assert ids(found) == ids(trained()) and found.model.dropout is None
    assert found.truncation is None and found.padding is None


def test_tokens_of_its_companions_are_added(tmp_path):
    size = trained().get_vocab_size()
    token = {"content": "<think>", "special": False, "lstrip": False, "rstrip": False}
    folder = saved_in(tmp_path, trained(), added_tokens_decoder={str(size + 1): token})
    (folder / "added_tokens.json").write_text(json.dumps({"<pad>": size}))
    found = load_tokenizer(folder)
    assert ids(found, "a<think>b")[1:-1] == [size + 1] and found.token_to_id("<pad>") == size


def test_companions_that_contradict_it_are_refused(tmp_path):
    save_tiny_model(tmp_path)
    told = {"added_tokens_decoder": {"7": {"content": PREFIX}}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match=r"'<\|endoftext\|>' is token 7 in .* and token 0 by"):
        load_folder("models.mine.path", tmp_path)


def test_a_notebook_is_told_of_a_tokenizer_that_splits_otherwise(tmp_path):
    config = transformers.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=320)
    model = transformers.GPT2LMHeadModel(config).eval()
    folder = saved_in(tmp_path, trained())
    with pytest.raises(InputError, match=r"splits the text otherwise than .*tokenizer.json says"):
        measure_energies(model, transformers.AutoTokenizer.from_pretrained(folder), TEXT)
    right = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    assert measure_energies(model, right, TEXT)["last"].to_pylist()[: len(ids(trained())) - 1]


def test_without_tokenizer_json_a_vocabulary_needs_its_merges(local):
    tokenizer = Tokenizer.from_file(str(local / "tokenizer.json"))
    (local / "tokenizer.json").unlink()
    (local / "vocab.json").write_text(json.dumps(tokenizer.get_vocab()))
    special = {"bos_token": PREFIX, "eos_token": PREFIX, "unk_token": PREFIX}
    about = {"tokenizer_class": "GPT2Tokenizer"} | special
    (local / "tokenizer_config.json").write_text(json.dumps(about))
    expected = rf"^key: {local} cannot be loaded as a fast tokenizer \(`vocab` and `merges` must "
    with pytest.raises(InputError, match=expected):
        load_folder("key", local)
    (local / "merges.txt").write_text("#version: 0.2\n")
    _, found, _ = load_folder("key", local)
    assert ids(found.backend_tokenizer) == ids(tokenizer)
