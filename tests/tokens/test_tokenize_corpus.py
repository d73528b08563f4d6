"""Shards of tokens are whole documents after the prefix token, whatever else is in the corpus."""

import json
import sys

import pyarrow as pa
import pytest
from tokenizers import Tokenizer

from tests.tiny import PREFIX, VOCABULARY, tiny_tokenizer
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.tokens import tokenize_corpus

TEXTS = [f"document {i}: " + "Ω and more " * i for i in range(6)]


@pytest.fixture
def snapshot(tmp_path):
    folder = tmp_path / "tiny"
    tiny_tokenizer().save_pretrained(folder)
    (folder / "provenance.json").write_text(json.dumps({"vocabulary": VOCABULARY}))
    return folder


@pytest.fixture
def shard(snapshot, tmp_path, monkeypatch):
    """Tokens of one shard of two documents: doc → list."""

    def run(number=0, *options, texts=TEXTS, prefix=PREFIX):
        corpus, out = tmp_path / "corpus.parquet", tmp_path / "tokens.parquet"
        table = pa.Table.from_pydict({"doc": range(len(texts)), "text": texts}, schema=CORPUS)
        write_table(corpus, table, {"dataset": "x"})
        arguments = ["--model", snapshot, "--corpus", corpus, "--dataset", "x", "--out", out]
        arguments += ["--shard", number, "--documents", 2, "--prefix-token", prefix, *options]
        monkeypatch.setattr(sys, "argv", ["tokenize_corpus", *map(str, arguments)])
        tokenize_corpus.main()
        found = read_table(out, TOKENS)
        assert provenance_of(found.schema)["corpus"] == {"dataset": "x"}
        return dict(zip(*found.to_pydict().values(), strict=True))

    return run


def test_a_shard_holds_its_documents_after_the_prefix(shard, snapshot):
    tokenizer = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    for number in range(3):
        found = shard(number)
        assert list(found) == [2 * number, 2 * number + 1]
        for doc, tokens in found.items():
            assert tokens[0] == 0 and tokenizer.decode(tokens[1:]) == TEXTS[doc]


def test_a_tokenizer_that_truncates_or_pads_is_kept_from_it(shard, snapshot):
    whole = shard(2)
    tokenizer = Tokenizer.from_file(str(snapshot / "tokenizer.json"))
    tokenizer.enable_truncation(10)
    tokenizer.enable_padding(length=500)
    tokenizer.save(str(snapshot / "tokenizer.json"))
    assert shard(2) == whole


def test_documents_are_cut_at_the_limit(shard):
    whole, cut = shard(1), shard(1, "--max-tokens", 9)
    assert cut == {doc: tokens[:10] for doc, tokens in whole.items()}


@pytest.mark.parametrize("ensemble", ["shuffled", "uniform"])
def test_an_ensemble_does_not_depend_on_the_shards(shard, ensemble):
    plain, found = shard(1), shard(1, "--ensemble", ensemble, "--seed", 3)
    assert found == shard(1, "--ensemble", ensemble, "--seed", 3)
    assert found != shard(1, "--ensemble", ensemble, "--seed", 4)
    more = ["", "", *TEXTS[2:4], "", ""]
    assert found == shard(1, "--ensemble", ensemble, "--seed", 3, texts=more)
    alike = shard(0, "--ensemble", ensemble, texts=TEXTS[5:] * 2)
    assert alike[0] != alike[1], "every document has random numbers of its own"
    for doc, tokens in found.items():
        assert tokens[0] == 0 and len(tokens) == len(plain[doc])
        assert (sorted(tokens) == sorted(plain[doc])) == (ensemble == "shuffled")


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
    found = shard(0, "--ensemble", "repeated", "--copies", 3, *options, texts=SENTENCES)
    texts = [tokenizer.decode(tokens[1:]) for tokens in found.values()]
    assert texts == expected


def test_documents_without_a_whole_unit_are_refused(shard):
    options = ["--ensemble", "repeated", "--prefix-tokens", 9, "--unit", "sentence"]
    expected = (
        r"^datasets\.x: document 0 of .* ends \(13 tokens\) before a whole sentence and one more "
        r"token have followed its first 9 tokens; lower datasets\.x\.prefix_tokens, or leave "
    )
    with pytest.raises(InputError, match=expected):
        shard(0, *options, texts=["No end at all", "Neither here"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"prefix": "<s>"}, r"^models\.tiny\.prefix_token: '<s>' is not in .*tokenizer\.json; it "),
        (
            {"texts": ["ab", "a"]},
            r"^datasets\.x: document 1 of .* has fewer than two tokens after the prefix ",
        ),
        (
            {"texts": ["ab"]},
            r"^datasets\.x\.shards: shard 0 needs documents 0 to 1, but .* holds 1; ",
        ),
    ],
)
def test_what_makes_no_shard_is_one_sentence(shard, options, expected, tmp_path):
    with pytest.raises(InputError, match=expected):
        shard(**options)
    assert not (tmp_path / "tokens.parquet").exists()


def test_a_tokenizer_of_another_model_is_refused(shard, snapshot):
    (snapshot / "provenance.json").write_text(json.dumps({"vocabulary": 50}))
    with pytest.raises(InputError, match=r"tokenizer\.json: token id \d+ lies beyond the model's "):
        shard()
