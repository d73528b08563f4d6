"""Shards of the null ensembles: each document has random numbers of its own."""

import numpy as np
import pytest
from tokenizers import Tokenizer

from tests.tokens.conftest import TEXTS
from workflow_scripts.semstat.tables import write_json
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
    cut = shard(tokenize_corpus, 1, "--tokens-per-document", 11)
    found = shard(shuffled, 1, "--tokens-per-document", 11, ensemble="shuffled")
    assert {doc: sorted(tokens) for doc, tokens in found.items()} == {
        doc: sorted(tokens) for doc, tokens in cut.items()
    }


@pytest.mark.parametrize("vocabulary", [257, 300])
def test_uniform_draws_what_tokenizer_and_model_have_and_no_special_token(
    shard, snapshot, vocabulary
):
    """The model may have rows more (padding) and rows less (of tokens that were added later)."""
    plain = shard(uniform, 2, ensemble="uniform")
    tokenizer = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    tokenizer.add_special_tokens([f"<{number}>" for number in range(150)])
    tokenizer.add_tokens([f"word {number}" for number in range(50)])
    tokenizer.save(str(snapshot / "tokenizer.json"))
    write_json(snapshot / "provenance.json", {"vocabulary": vocabulary})
    found = shard(uniform, 2, ensemble="uniform", texts=[*TEXTS[:4], "a" * 2000, "b" * 2000])
    drawn = np.concatenate([tokens[1:] for tokens in found.values()])
    assert drawn.min() == 1 and drawn.max() == 256
    if vocabulary == 257:
        first = found[4][: len(plain[4])]
        assert first == plain[4], "as before tokens were added"
