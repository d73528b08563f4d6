"""Documents that are the same tokens are named and refused, in whichever shards they are."""

import pytest

from workflow_scripts.semstat.errors import InputError
from workflow_scripts.tokens.ensembles.repeated import repeated
from workflow_scripts.tokens.ensembles.shuffled import shuffled
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus

LICENCE = "Licensed under the Apache License. "
REST = (
    r"the same tokens, and error bars would take them for independent ones; take more of each "
    r"\(tokens_per_document\), or set datasets\.x\.distinct_characters, so that "
)


def test_copies_in_a_shard_are_named(shard):
    with pytest.raises(InputError, match=rf"^datasets\.x: documents 0 and 1 are {REST}"):
        shard(tokenize_corpus, texts=["the same"] * 2)


@pytest.mark.parametrize("text", ["the same", LICENCE * 9, "🙂🙂", "ab"])
def test_copies_in_an_earlier_shard_are_named(shard, text):
    texts = [text, "other", "another", text, text, "last"]
    assert len(shard(tokenize_corpus, 0, texts=texts)) == 2
    with pytest.raises(InputError, match=rf"^datasets\.x: documents 0 and 3 are {REST}"):
        shard(tokenize_corpus, 1, texts=texts)
    several = r"^datasets\.x: documents 0 and 3 \(and 1 more such pairs\) are the same"
    with pytest.raises(InputError, match=several):
        shard(tokenize_corpus, 2, texts=texts)


def test_documents_may_begin_alike_beyond_what_is_taken_of_them(shard):
    texts = [LICENCE + word for word in ("one", "two", "three"[::-1], "four")]
    assert len(shard(tokenize_corpus, 1, texts=texts)) == 2
    assert len(shard(tokenize_corpus, 1, "--tokens-per-document", 36, texts=texts)) == 2
    for number in (0, 1):
        with pytest.raises(InputError, match=rf"^datasets\.x: documents 0 and 1.* are {REST}"):
            shard(tokenize_corpus, number, "--tokens-per-document", 35, texts=texts)


def test_a_repetition_of_the_same_tokens_is_refused(shard):
    options = ["--prefix-tokens", 2, "--unit", 1]
    with pytest.raises(InputError, match=rf"^datasets\.x: documents 0 and 1 are {REST}"):
        shard(repeated, 0, *options, texts=["abcde", "abcdf"], ensemble="repeated")


def test_what_is_drawn_for_each_is_never_a_copy(shard):
    """Two short documents may well be shuffled alike."""
    found = shard(shuffled, 0, texts=["aaa", "aaaa"], ensemble="shuffled")
    assert len(found) == 2
    assert shard(shuffled, 0, texts=["aa", "aa"], ensemble="shuffled")[0][1:] == [65, 65]
