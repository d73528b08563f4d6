"""Spans of text replaced: the same places whatever stands there, and nothing else touched."""

import numpy as np
import pyarrow as pa
import pytest

from tests.configuration.studies import CONFIG, changed, sentence
from workflow_scripts.configuration.study import resolve
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.replaced import passage, places, replaced, shuffled
from workflow_scripts.tokens.ensembles.replaced import replaced as command
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus

KINDS = ["shuffled", "repeated", "uniform", "other"]
SPANS, LENGTH, PREFIX, UNIT = 3, 5, 8, 2

# Places.


def test_spans_lie_apart_after_the_beginning_and_anywhere_alike():
    found = np.array(
        [places(60, SPANS, LENGTH, PREFIX, np.random.default_rng(seed)) for seed in range(3000)]
    )
    assert found.min() == 1 + PREFIX and found.max() == 60 - LENGTH
    assert np.diff(found, axis=1).min() == 2 * LENGTH
    # Free tokens are dealt among the gaps before, between and behind alike.
    free = 60 - (1 + PREFIX + (2 * SPANS - 1) * LENGTH)
    gaps = np.diff(found, axis=1, prepend=1 + PREFIX - 2 * LENGTH, append=60 + LENGTH) - 2 * LENGTH
    assert (gaps.sum(axis=1) == free).all()
    np.testing.assert_allclose(gaps.mean(axis=0), free / (SPANS + 1), rtol=0.06)


def test_a_document_that_just_holds_them_has_one_way():
    needed = 1 + PREFIX + (2 * SPANS - 1) * LENGTH
    found = places(needed, SPANS, LENGTH, PREFIX, np.random.default_rng(0))
    assert found.tolist() == [9, 19, 29]
    with pytest.raises(ValueError, match=r"^has 32 tokens, and 3 spans of 5 tokens, .* need 33$"):
        places(needed - 1, SPANS, LENGTH, PREFIX, np.random.default_rng(0))


def test_what_reads_the_same_is_no_anomaly():
    tokens_t = np.arange(20, dtype=np.int32)
    with pytest.raises(ValueError, match=r"^reads the same from token 7 on when that span is "):
        replaced(tokens_t, np.array([7]), 4, lambda begin: tokens_t[begin : begin + 4])


def test_shuffled_spans_are_in_another_order():
    rng = np.random.default_rng(0)
    assert all(shuffled(np.array([1, 2]), rng).tolist() == [2, 1] for _ in range(20))
    assert shuffled(np.array([3, 3]), rng).tolist() == [3, 3]


def test_passages_begin_anywhere_but_with_the_prefix_token():
    rng = np.random.default_rng(0)
    begins = {int(passage(np.arange(9), 3, rng)[0]) for _ in range(200)}
    assert begins == set(range(1, 7))


# The command.

RNG = np.random.default_rng(9)
TEXTS = ["".join(map(chr, RNG.integers(97, 123, 90 + 7 * doc))) for doc in range(6)]


def made(shard, number, kind, *options, texts=TEXTS):
    words = ["--kind", kind, "--spans", SPANS, "--length", LENGTH, "--prefix-tokens", PREFIX]
    words += ["--unit", UNIT] if kind == "repeated" else []
    return shard(command, number, *words, *options, texts=texts, ensemble="replaced")


def spans_of(doc, tokens, seed=0):
    rng = np.random.default_rng([seed, doc])
    return places(len(tokens), SPANS, LENGTH, PREFIX, rng).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_something_else_stands_in_the_spans_and_nowhere_else(shard, kind):
    text = shard(tokenize_corpus, 1, texts=TEXTS)
    every = [t for n in (0, 1, 2) for t in shard(tokenize_corpus, n, texts=TEXTS).values()]
    found = made(shard, 1, kind)
    for doc, tokens in found.items():
        outside = np.ones(len(tokens), dtype=bool)
        for begin in spans_of(doc, tokens):
            new, old = tokens[begin : begin + LENGTH], text[doc][begin : begin + LENGTH]
            outside[begin : begin + LENGTH] = False
            assert new != old
            if kind == "shuffled":
                assert sorted(new) == sorted(old)
            elif kind == "repeated":
                unit = text[doc][begin - UNIT : begin]
                assert new == (unit * LENGTH)[:LENGTH]
            elif kind == "uniform":
                assert 0 not in new, "the prefix token is no token of language"
            else:
                other = every[(doc + 1) % len(TEXTS)]
                assert any(other[at : at + LENGTH] == new for at in range(1, len(other)))
        assert len(tokens) == len(text[doc])
        assert (np.array(tokens) == text[doc])[outside].all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_does_not_depend_on_the_shards_but_on_its_seed(shard, kind):
    found = made(shard, 1, kind, "--seed", 3)
    assert found == made(shard, 1, kind, "--seed", 3)
    assert found == made(shard, 1, kind, "--seed", 3, texts=["", "", *TEXTS[2:]])
    assert found != made(shard, 1, kind, "--seed", 4)


def test_after_the_last_document_comes_the_first(shard):
    first = shard(tokenize_corpus, 0, texts=TEXTS)[0]
    tokens = made(shard, 2, "other")[5]
    for begin in spans_of(5, tokens):
        new = tokens[begin : begin + LENGTH]
        assert any(first[at : at + LENGTH] == new for at in range(1, len(first)))


def others(tmp_path, *texts):
    path = tmp_path / "code.parquet"
    table = pa.Table.from_arrays([range(len(texts)), texts], schema=CORPUS)
    write_table(path, table, {"dataset": "code"})
    return path


def test_passages_may_be_of_another_dataset(shard, tmp_path):
    path = others(tmp_path, "(" * 20, "0" * 20, "+" * 20, "=" * 20)
    for number in (0, 2):
        for doc, tokens in made(shard, number, "other", "--taken-from", path).items():
            kinds = {tuple(tokens[b : b + LENGTH]) for b in spans_of(doc, tokens)}
            assert len(kinds) == 1 and len(set(*kinds)) == 1, "of the document of that number"
    short = others(tmp_path, "(" * 20, "0" * 3)
    expected = (
        r"^datasets\.x\.length: document 1 of \S* has 3 tokens, and a passage of 5 is to be taken "
        r"from it; lower it, or leave short documents out \(datasets\.code\.min_characters\)$"
    )
    with pytest.raises(InputError, match=expected):
        made(shard, 0, "other", "--taken-from", short)


@pytest.mark.parametrize(
    ("kind", "texts", "said"),
    [
        ("uniform", [TEXTS[0], "a" * 30], r"document 1 of \S* has 30 tokens, and 3 spans of 5 "),
        ("shuffled", ["a" * 90, TEXTS[0]], r"document 0 of \S* reads the same from token \d+ on "),
        ("repeated", ["ab" * 45, TEXTS[0]], r"document 0 of \S* reads the same from token \d+ on "),
    ],
)
def test_what_cannot_be_replaced_is_refused(shard, kind, texts, said):
    remedy = (
        r"; lower datasets\.x\.spans, length or prefix_tokens, take another seed, or leave short "
        r"documents out \(min_characters\)$"
    )
    with pytest.raises(InputError, match=rf"^datasets\.x: {said}.*{remedy}"):
        made(shard, 0, kind, texts=texts)


def test_the_recipe_is_in_the_provenance(shard, tmp_path):
    made(shard, 0, "repeated", "--seed", 2)
    said = provenance_of(read_table(tmp_path / "tokens.parquet").schema)
    recipe = {"kind": "repeated", "spans": 3, "length": 5, "prefix_tokens": 8, "unit": 2, "seed": 2}
    assert {key: said[key] for key in recipe} == recipe


# The configuration.

ENTRY = {"source": "ensemble", "of": "long", "ensemble": "replaced", "kind": "shuffled"}


def study(keys):
    config = changed("datasets/more", ENTRY | keys)
    long = CONFIG["datasets"]["text"] | {"tokens_per_document": 112}
    return config | {"datasets": config["datasets"] | {"long": long}}


def test_an_entry_and_its_defaults():
    spec = resolve(study({}))["datasets"]["more"]
    assert (spec["spans"], spec["length"], spec["prefix_tokens"], spec["seed"]) == (3, 16, 32, 0)
    assert spec["tokens_per_document"] == 112 and "unit" not in spec
    assert resolve(study({"kind": "repeated"}))["datasets"]["more"]["unit"] == 4


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {"kind": "code"},
            "datasets.more.kind: 'code' is not one of shuffled, repeated, uniform, ",
        ),
        ({"unit": 2}, "datasets.more.unit: unknown key; "),
        ({"kind": "repeated", "taken_from": "text"}, "datasets.more.taken_from: unknown key; "),
        ({"kind": "other", "taken_from": "nulls"}, "datasets.more.taken_from: 'nulls' is not a da"),
        ({"length": 1}, "datasets.more.length: 1 is less than the minimum of 2; "),
        ({"spans": 0}, "datasets.more.spans: 0 is less than the minimum of 1; "),
        (
            {"kind": "repeated", "unit": 17},
            "datasets.more.unit: 17 tokens are more than stand before the first span or fit into "
            "one; take at most 16, or raise `length` and `prefix_tokens`",
        ),
        (
            {"spans": 4},
            "datasets.more.spans: 4 spans of 16 tokens, as far apart, after 32 tokens of text need "
            "144, and datasets.long.tokens_per_document is 112; raise that, or lower `spans`, "
            "`length` or `prefix_tokens`",
        ),
    ],
)
def test_a_mistake_in_an_entry_gets_one_sentence(keys, expected):
    assert sentence(study(keys)).startswith(expected)
