"""Shards of a repetition: a unit of each document's own, between its text and what follows."""

import pytest
from tokenizers import Tokenizer

from workflow_scripts.semstat.errors import InputError
from workflow_scripts.tokens.ensembles.repeated import repeated

SENTENCES = ["One. Two! And a third, longer one? Rest", "No end. Here is one. And more"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--prefix-tokens", 2, "--unit", 1], ["One" + "e" * 2 + ".", "No" + " " * 3 + "e"]),
        (["--prefix-tokens", 2, "--unit", 4], ["One. Te. Te. Tw", "No end end end."]),
        (
            ["--prefix-tokens", 2, "--unit", "sentence"],
            ["One. Two! Two! Two! ", "No end. Here is one. Here is one. Here is one. "],
        ),
    ],
)
def test_a_repetition_stands_between_its_text_and_what_follows(shard, snapshot, options, expected):
    tokenizer = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    found = shard(repeated, 0, "--copies", 3, *options, texts=SENTENCES, ensemble="repeated")
    texts = [tokenizer.decode(tokens[1:]) for tokens in found.values()]
    assert texts == expected


def test_documents_without_a_whole_unit_are_refused(shard):
    options = ["--prefix-tokens", 9, "--unit", "sentence"]
    expected = (
        r"^datasets\.x: document 0 of .* ends \(13 tokens\) before a whole sentence and one more "
        r"token have followed its first 9 tokens; lower datasets\.x\.prefix_tokens, or leave "
    )
    with pytest.raises(InputError, match=expected):
        shard(repeated, 0, *options, texts=["No end at all", "Neither here"])
