"""Where a training starts: fresh weights of an architecture, and a tokenizer."""

import json

import pytest
import torch

from tests.tiny import PREFIX
from tests.training.fitted import LLAMA, Place, draw, weights_of, write_corpus
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.draw_random_model import draw_random_model
from workflow_scripts.tokens.tokenizers import tokenizer_of


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus") / "corpus.parquet")


@pytest.fixture(scope="module")
def start(corpus):
    return draw(corpus.parent / "start", corpus)


def test_the_same_entry_always_starts_from_the_same_bytes(start, corpus, tmp_path):
    again, other = (draw(tmp_path / str(seed), corpus, seed=seed) for seed in (0, 2**40 + 1))
    assert (again / "SHA256SUMS").read_text() == (start / "SHA256SUMS").read_text()
    assert (other / "tokenizer.json").read_bytes() == (start / "tokenizer.json").read_bytes()
    assert not torch.equal(*(weights_of(each)["lm_head.weight"] for each in (start, other)))


def test_a_random_twin_of_the_same_seed_is_the_start(start, tmp_path):
    draw_random_model(
        name="r", like="m", architecture=start, seed=0, blocks=2, out=tmp_path / "twin"
    )
    twin, weights = weights_of(tmp_path / "twin"), weights_of(start)
    assert all(torch.equal(twin[name], weights[name]) for name in weights)


def test_the_tokenizer_is_one_of_bytes_that_knows_the_prefix_token(start):
    tokenizer = tokenizer_of(start)
    assert tokenizer.get_vocab_size() == 280
    assert tokenizer.token_to_id(PREFIX) == 0
    text = "we the people \x00 of Ω 1776 \n"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    said = json.loads((start / "config.json").read_text())
    assert (said["vocab_size"], said["bos_token_id"], said["eos_token_id"]) == (280, 0, 0)


def test_an_architecture_may_take_the_tokenizer_of_another_model(start, corpus, tmp_path):
    small = draw(tmp_path / "s", corpus, LLAMA | {"hidden_size": 16}, tokenizer_of=start)
    assert (small / "tokenizer.json").read_bytes() == (start / "tokenizer.json").read_bytes()
    assert weights_of(small)["model.embed_tokens.weight"].shape == (280, 16)
    with pytest.raises(InputError, match=r"^models\.m\.prefix_token: '<s>' is not in its tokenize"):
        draw(tmp_path / "no", corpus, tokenizer_of=start, prefix_token="<s>")  # noqa: S106
    with pytest.raises(InputError, match=r"architecture\.vocab_size: 10 is not the 280 tokens of "):
        draw(tmp_path / "no", corpus, LLAMA | {"vocab_size": 10}, tokenizer_of=start)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"model_type": "lama"},
            r"\.model_type: transformers [\d.]+ has no 'lama'; did you mean ",
        ),
        ({"model_type": "!"}, r"\.model_type: transformers [\d.]+ has no '!'; name one, such as "),
        ({"hiden_size": 3}, r"\.hiden_size: LlamaConfig takes no such key; did you mean hidden"),
        ({"zzzzzz": 3}, r"\.zzzzzz: LlamaConfig takes no such key; leave it out"),
        ({"hidden_size": "big"}, r": LlamaConfig refuses it \(.*\); correct it"),
        ({"hidden_size": 33}, r": LlamaConfig refuses it \(.*\); correct it"),
        ({"hidden_act": "si'lu"}, r": transformers makes no causal language model of it \("),
        ({"rope_parameters": {"rope_type": "x"}}, r": transformers makes no causal language model"),
    ],
)
def test_a_mistake_in_an_architecture_is_one_sentence(corpus, tmp_path, changes, expected):
    with pytest.raises(InputError, match=rf"^models\.m\.architecture{expected}"):
        draw(tmp_path / "no", corpus, LLAMA | changes)
    assert not (tmp_path / "no").exists()


def test_too_few_texts_for_a_tokenizer(corpus, tmp_path):
    with pytest.raises(
        InputError,
        match=r"^models\.m\.tokenizer\.vocabulary: the texts give \d+ tokens, not 5000; lower it, ",
    ):
        draw(tmp_path / "no", corpus, vocabulary=5000)
    with pytest.raises(
        InputError, match="holds 12 documents, and the first 5 of them are measured"
    ):
        draw(tmp_path / "no", corpus, beyond=5)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("prefix", ["a", "the", "Ġ", " the", "."])
def test_a_prefix_token_that_a_text_may_hold_is_refused(corpus, tmp_path, prefix):
    with pytest.raises(InputError, match=r"^models\.m\.prefix_token: .* is one word, which a te"):
        draw(tmp_path / "no", corpus, prefix_token=prefix)


def test_another_number_of_blocks(corpus, tmp_path):
    with pytest.raises(
        InputError, match=r"^models\.m\.blocks: the configuration says 3, the model"
    ):
        draw(tmp_path / "no", corpus, blocks=3)


def test_the_place_of_the_other_tests(tmp_path):
    place = Place.made(tmp_path)
    assert place.tokens.is_file() and (place.start / "SHA256SUMS").is_file()
