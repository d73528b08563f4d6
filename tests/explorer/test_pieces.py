"""What tokens say: whole characters, and no � anywhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from tests.tiny import tiny_tokenizer
from workflow_scripts.explorer.pieces import Pieces


def of_bytes():
    return tiny_tokenizer().backend_tokenizer


def of_sentencepiece():
    """As Llama's: words with a mark for the space before them, and bytes for what is rare."""
    names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "t", "o", "▁a", "to"]
    vocabulary = {name: at for at, name in enumerate(names)}
    merges = [("▁", "a"), ("t", "o")]
    model = BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", byte_fallback=True)  # noqa: S106
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


@pytest.mark.parametrize("make", [of_bytes, of_sentencepiece])
def test_characters_of_several_tokens_are_joined(make):
    tokenizer = make()
    text = "a to a é€🙂 <b>"
    row = Pieces(tokenizer).row(tokenizer.encode(text, add_special_tokens=False).ids)
    assert "".join(row).strip() == text
    at = row.index("🙂")
    assert row[at - 3 : at] == ["", "", ""], "the last of its four tokens says it"


def test_a_space_before_a_word_is_not_lost():
    tokenizer = of_sentencepiece()
    assert Pieces(tokenizer).label(tokenizer.token_to_id("▁a")) == " a"


def test_bytes_that_are_no_character_are_written_as_such():
    tokenizer = of_bytes()
    euro = tokenizer.encode("€", add_special_tokens=False).ids
    a = tokenizer.encode("a", add_special_tokens=False).ids
    pieces = Pieces(tokenizer)
    assert pieces.row([*a, *euro[:2], *a]) == ["a", r"\xe2", r"\x82", "a"]
    assert pieces.row(euro) == ["", "", "€"]
    assert pieces.label(euro[0]) == r"\xe2"
    assert Pieces(of_sentencepiece()).label(1 + 0xE2) == r"\xe2"
    assert pieces.label(100_000) == "[100000]", "models have more tokens than their tokenizers"


@settings(deadline=None)
@given(st.lists(st.integers(0, 256), max_size=12))
def test_nothing_is_shown_as_a_replacement_character(tokens):
    for tokenizer in (of_bytes(), of_sentencepiece()):
        pieces = Pieces(tokenizer)
        row = pieces.row(tokens)
        assert len(row) == len(tokens)
        assert not any("\ufffd" in said for said in [*row, *map(pieces.label, tokens)])
        assert all(map(pieces.label, tokens)), "no label is empty"
