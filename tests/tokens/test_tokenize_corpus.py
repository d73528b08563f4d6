"""Shards of tokens are whole documents after the prefix token, whatever else is in the corpus."""

import json

import pytest
from tokenizers import Tokenizer

from tests.tokens.conftest import TEXTS
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus


def test_a_shard_holds_its_documents_after_the_prefix(shard, snapshot):
    tokenizer = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    for number in range(3):
        found = shard(tokenize_corpus, number)
        assert list(found) == [2 * number, 2 * number + 1]
        for doc, tokens in found.items():
            assert tokens[0] == 0 and tokenizer.decode(tokens[1:]) == TEXTS[doc]


def test_a_tokenizer_that_truncates_or_pads_is_kept_from_it(shard, snapshot):
    whole = shard(tokenize_corpus, 2)
    tokenizer = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    tokenizer.enable_truncation(10)
    tokenizer.enable_padding(length=500)
    tokenizer.save(str(snapshot / "tokenizer.json"))
    assert shard(tokenize_corpus, 2) == whole


def test_documents_are_cut_at_the_limit(shard):
    whole = shard(tokenize_corpus, 1)
    cut = shard(tokenize_corpus, 1, "--tokens-per-document", 10)
    assert cut == {doc: tokens[:11] for doc, tokens in whole.items()}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"prefix": "<s>"}, r"^models\.tiny\.prefix_token: '<s>' is not in .*tokenizer\.json; it "),
        (
            {"texts": ["ab", ""]},
            r"^datasets\.x: document 1 of .* has fewer than two tokens after the prefix "
            r"token, and a state needs two; raise datasets\.x\.min_characters to leave it out$",
        ),
        (
            {"texts": ["ab", "a"]},
            r"^datasets\.x: document 1 of .* has fewer than two tokens after ",
        ),
        (
            {"texts": ["ab"]},
            r"^datasets\.x\.shards: 1 × 2 documents are asked for, but .* holds 1; ",
        ),
    ],
)
def test_what_makes_no_shard_is_one_sentence(shard, options, expected, tmp_path):
    with pytest.raises(InputError, match=expected):
        shard(tokenize_corpus, **options)
    assert not (tmp_path / "tokens.parquet").exists()


def test_a_first_shard_is_not_made_where_a_later_one_could_not_be(shard):
    """So that no model runs before that is said."""
    assert len(shard(tokenize_corpus, 0, "--shards", 3)) == 2
    with pytest.raises(InputError, match=r"^datasets\.x\.shards: 200 × 2 documents .* holds 6; "):
        shard(tokenize_corpus, 0, "--shards", 200)


def test_a_token_that_the_model_has_no_row_for_is_refused(shard, snapshot):
    tokenizer = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    tokenizer.add_tokens(["more"])
    tokenizer.save(str(snapshot / "tokenizer.json"))
    assert shard(tokenize_corpus, 0, texts=["a text", "another"])
    expected = (
        r"tokenizer\.json: token id 257 lies beyond the model's vocabulary of 257; the .* added"
    )
    with pytest.raises(InputError, match=expected):
        shard(tokenize_corpus, 0, texts=["one more", "another"])


def test_a_tokenizer_of_another_model_is_refused(shard, snapshot):
    (snapshot / "provenance.json").write_text(json.dumps({"vocabulary": 50}))
    with pytest.raises(InputError, match=r"tokenizer\.json: token id \d+ lies beyond the model's "):
        shard(tokenize_corpus)
