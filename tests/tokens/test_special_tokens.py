"""A special token's name in a text is text, whatever the tokenizer, unless it is to be more."""

import pytest
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from tests.tiny import PREFIX
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus

NAMES = [PREFIX, "<s>", "</s>"]
PLAIN = ["Plain text, <b>marked</b> up;  twice.", "Other text: 1 < 2 > 0 | <|not one|> s>"]
NAMED = ["He wrote <s> and </s>, then <|endoftext|>!", "<s>"]
LETTERS = sorted(set("".join([*PLAIN, *NAMED])) - {" "})


def byte_level():
    """As of GPT-2: the names are in no vocabulary but that of added tokens, some strip spaces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(PLAIN + NAMED, trainer)
    tokenizer.add_special_tokens([AddedToken(name, lstrip=True) for name in NAMES])
    tokenizer.add_tokens(["  "])  # ordinary ones are no less text for being added
    return tokenizer


def unigram():
    """As of SentencePiece: the names are pieces with scores."""
    pieces = [("<unk>", 0.0), *((name, 0.0) for name in NAMES)]
    pieces += [("▁", -2.5), *((letter, -3.1234567890123456) for letter in LETTERS), ("▁text", -4.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<unk>", *NAMES])
    return tokenizer


def byte_fallback(*merges):
    """As of Llama 2: the names are in the vocabulary, and no merges lead to them."""
    pieces = ["<unk>", *NAMES, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *LETTERS]
    pieces += [left + right for left, right in merges if left + right not in pieces]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, list(merges), byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<unk>", *NAMES])
    return tokenizer


@pytest.fixture
def take(snapshot):
    def save(tokenizer):
        tokenizer.save(str(snapshot / "tokenizer.json"))
        (snapshot / "provenance.json").write_text('{"vocabulary": 1000}')

    return save


@pytest.mark.parametrize("make", [byte_level, unigram, byte_fallback])
def test_a_name_in_a_text_is_text(shard, take, make):
    tokenizer = make()
    take(tokenizer)
    special = {tokenizer.token_to_id(name) for name in NAMES}
    for doc, tokens in shard(tokenize_corpus, texts=NAMED).items():
        assert not special.intersection(tokens[1:])
        assert tokenizer.decode(tokens[1:], skip_special_tokens=False) == NAMED[doc]


@pytest.mark.parametrize("make", [byte_level, unigram, byte_fallback])
def test_it_is_the_token_if_that_is_wanted(shard, take, make):
    tokenizer = make()
    take(tokenizer)
    found = shard(tokenize_corpus, 0, "--special-tokens-in-text", texts=[NAMED[0], "ab"])
    names = [tokenizer.token_to_id(name) for name in ("<s>", "</s>", PREFIX)]
    assert [token for token in found[0][1:] if token in names] == names
    assert found[0][1:] == tokenizer.encode(NAMED[0], add_special_tokens=False).ids


@pytest.mark.parametrize("make", [byte_level, unigram, byte_fallback])
def test_text_without_a_name_is_the_same_tokens_either_way(shard, take, make):
    tokenizer = make()
    take(tokenizer)
    found = shard(tokenize_corpus, texts=PLAIN)
    assert found == shard(tokenize_corpus, 0, "--special-tokens-in-text", texts=PLAIN)
    for doc, tokens in found.items():
        assert tokens[1:] == tokenizer.encode(PLAIN[doc], add_special_tokens=False).ids


def test_what_is_unknown_beside_a_name_stays_unknown(shard, take):
    tokenizer = unigram()
    take(tokenizer)
    found = shard(tokenize_corpus, texts=["<s> 王 <unk>", "ab"])[0][1:]
    assert found.count(0) == 1 and not {1, 2, 3}.intersection(found)


def test_a_tokenizer_that_has_no_other_tokens_for_a_name_is_told(shard, take):
    """Merges of its own lead there."""
    take(byte_fallback(("<", "s"), ("<s", ">")))
    expected = (
        r"^datasets\.x: document 0 of .* holds '<s>', which the tokenizer takes for the special "
        r"token; take it out, or set datasets\.x\.special_tokens_in_text if "
    )
    with pytest.raises(InputError, match=expected):
        shard(tokenize_corpus, texts=NAMED)
