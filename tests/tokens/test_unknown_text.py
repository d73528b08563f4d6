"""What a tokenizer does not know is told, and never left out in silence."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.tiny import PREFIX
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus

KNOWN = ["a b a", "b a b a"]


def words(unknown):
    tokenizer = Tokenizer(models.WordLevel({PREFIX: 0, "a": 1, "b": 2, "<unk>": 3}, unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def test_unknown_words_are_counted(shard, snapshot, caplog):
    words("<unk>").save(str(snapshot / "tokenizer.json"))
    assert shard(tokenize_corpus, 0, texts=KNOWN) == {0: [0, 1, 2, 1], 1: [0, 2, 1, 2, 1]}
    assert not caplog.records
    shard(tokenize_corpus, 0, texts=["a b a", "é a b a b a b"])
    assert caplog.messages == ["0.1 of the tokens are '<unk>': what the tokenizer does not know"]


def test_a_text_of_unknown_words_is_refused(shard, snapshot):
    words("<unk>").save(str(snapshot / "tokenizer.json"))
    with pytest.raises(InputError, match=r"0.75 of the tokens are '<unk>', which stands for what"):
        shard(tokenize_corpus, 0, texts=["é é é a", "ö a ö ö"])


def test_characters_are_not_left_out_in_silence(shard, snapshot):
    """As a BPE does that has neither an unknown token nor the bytes."""
    tokenizer = Tokenizer(models.BPE({PREFIX: 0, "a": 1, "b": 2, "ab": 3}, [("a", "b")]))
    tokenizer.save(str(snapshot / "tokenizer.json"))
    assert shard(tokenize_corpus, 0, texts=["ab a", "b ab"]) == {0: [0, 3, 1], 1: [0, 2, 3]}
    with pytest.raises(
        InputError, match=r"document 1 of .* holds 'é', for which the tokenizer has"
    ):
        shard(tokenize_corpus, 0, texts=["ab a", "b é ab"])
