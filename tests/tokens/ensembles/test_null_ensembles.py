"""Shards of the null ensembles: each document has random numbers of its own."""

import pytest

from tests.tokens.conftest import TEXTS
from workflow_scripts.tokens.ensembles.shuffled import shuffled
from workflow_scripts.tokens.ensembles.uniform import uniform
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus


@pytest.mark.parametrize("command", [shuffled, uniform])
def test_an_ensemble_does_not_depend_on_the_shards(shard, command):
    def made(number, *options, texts=TEXTS):
        return shard(command, number, *options, texts=texts, ensemble=command.__name__)

    plain, found = shard(tokenize_corpus, 1), made(1, "--seed", 3)
    assert found == made(1, "--seed", 3)
    assert found != made(1, "--seed", 4)
    more = ["", "", *TEXTS[2:4], "", ""]
    assert found == made(1, "--seed", 3, texts=more)
    alike = made(0, texts=TEXTS[5:] * 2)
    assert alike[0] != alike[1], "every document has random numbers of its own"
    for doc, tokens in found.items():
        assert tokens[0] == 0 and len(tokens) == len(plain[doc])
        assert (sorted(tokens) == sorted(plain[doc])) == (command is shuffled)


def test_it_is_made_of_a_document_as_it_is_cut(shard):
    cut = shard(tokenize_corpus, 1, "--tokens-per-document", 9)
    found = shard(shuffled, 1, "--tokens-per-document", 9, ensemble="shuffled")
    assert {doc: sorted(tokens) for doc, tokens in found.items()} == {
        doc: sorted(tokens) for doc, tokens in cut.items()
    }
