"""Entries of datasets: shards and ensembles."""

import pytest

from tests.configuration.studies import (
    CONFIG,
    HUB,
    NASTY,
    changed,
    check_sentence,
    sentence,
)
from workflow_scripts.configuration.study import resolve
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.tokens.configuration import check_local_files, documents_of, is_repeated


@pytest.mark.parametrize(
    ("where", "value", "what"),
    [
        ("datasets/nulls/of", "nulls", "'nulls' is not a dataset of text; name one of text"),
        ("datasets/nulls/of", "nope", "'nope' is not a dataset of text; name one of text"),
        ("datasets/nulls/of", "own", "'own' is not a dataset of text; name one of text"),
        (
            "datasets/nulls/ensemble",
            "unifrom",
            "'unifrom' is not one of injected, repeated, re",
        ),
        (
            "datasets/nulls/unit",
            1,
            "unknown key; known keys: documents_per_shard, ensemble, measured, of, s",
        ),
        (
            "datasets/again/seed",
            1,
            "unknown key; known keys: documents_per_shard, ensemble, measured, of, p",
        ),
        ("datasets/again/unit", 0, "0 is not allowed here; What is repeated of the text that "),
        ("datasets/again/unit", "word", "'word' is not allowed here; What is repeated of the "),
        ("datasets/again/prefix_tokens", 0, "0 is less than the minimum of 1; Real tokens "),
        ("datasets/again/repetitions", [], "[] is too short; Numbers of copies of the unit, "),
        ("datasets/again/repetitions", [2, 2], "[2, 2] has non-unique elements; Numbers of copies"),
        ("datasets/again/shards", 2, "a repetition has a shard for each of its `repetitions`; "),
        ("datasets/own/ensemble", "uniform", "unknown key; known keys: documents_per_shard, "),
        ("datasets/text/shards", "2", "'2' is not of type 'integer'; write 2 (Shards to measure; "),
        (
            "datasets/text/special_tokens_in_text",
            "no",
            "'no' is not of type 'boolean'; Whether the ",
        ),
        (
            "datasets/nulls/special_tokens_in_text",
            True,
            "unknown key; known keys: documents_per_sh",
        ),
        ("datasets/text/documents_per_shard", 1, "error bars come from the scatter between docu"),
        ("datasets/again/documents_per_shard", 1, "error bars come from the scatter between doc"),
        ("datasets/text/shards", 2.0, "2.0 is not of type 'integer'; Shards to measure; "),
        ("datasets/text/shards", True, "True is not of type 'integer'; Shards to measure; "),
        (
            "datasets/text/shards",
            10**6,
            "1000000 is greater than the maximum of 100000; Shards to ",
        ),
        ("datasets/text/shards", 0, "0 is less than the minimum of 1; Shards to measure; "),
    ],
)
def test_a_mistake_gets_one_sentence_with_file_key_and_remedy(where, value, what):
    check_sentence(where, value, what)


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        (
            "datasets/again/repetitions",
            [0, 1],
            "datasets.again.repetitions.0: 0 is less than the mi",
        ),
        (
            "datasets/h",
            HUB | {"split": "train", "documents": 150, "shards": 2},
            "datasets.h.shards: 2 shards of 100 documents need 200, but only 150 are fetched; ",
        ),
    ],
)
def test_a_mistake_in_an_entry_is_put_where_it_can_be_mended(where, value, expected):
    assert sentence(changed(where, value)).startswith(f"{expected}")


def test_an_ensemble_cannot_take_more_documents_than_are_fetched():
    config = changed("datasets/text", HUB | {"split": "train", "documents": 100})
    config["datasets"]["nulls"]["shards"] = 2
    assert sentence(config).startswith("datasets.nulls.shards: 2 shards of 100 ")


@pytest.mark.parametrize("value", [value for value in NASTY if value and value != "{x}"])
def test_a_reference_to_what_could_carry_a_command_is_refused(value):
    config = changed("datasets/b", CONFIG["datasets"]["nulls"] | {"of": value})
    assert sentence(config).startswith(f"datasets.b.of: {value!r} is not ")


def test_a_repetition_has_a_shard_for_each_number_of_copies():
    study = resolve(changed("datasets/again/repetitions", [8, 1, 3]))
    assert study["datasets"]["again"]["repetitions"] == [1, 3, 8]
    assert study["datasets"]["again"]["shards"] == 3


def test_an_ensemble_without_a_limit_has_none():
    config = changed("datasets/text/tokens_per_document", ...)
    del config["datasets"]["own"]
    assert resolve(config)["datasets"]["nulls"]["tokens_per_document"] is None


def test_a_repetition_takes_the_same_documents_in_every_shard():
    config = changed("datasets/text", CONFIG["datasets"]["text"] | {"shards": 3})
    datasets = resolve(config)["datasets"]
    assert [name for name, spec in datasets.items() if is_repeated(spec)] == ["again"]
    documents = {name: documents_of(spec) for name, spec in datasets.items()}
    assert documents == {"text": 300, "nulls": 100, "again": 100, "own": 100}


def test_more_documents_than_there_are_local_text_files():
    datasets = resolve(changed("datasets/nulls/shards", 3))["datasets"]
    check_local_files("text", ["a.txt"] * 300, datasets)
    check_local_files("text", ["a.txt", "b.jsonl"], datasets)
    with pytest.raises(InputError) as raised:
        check_local_files("text", ["a.txt"] * 299, datasets)
    assert str(raised.value) == (
        "datasets.nulls.shards: 3 × 100 documents are asked for, but *.txt has 299; lower "
        "`shards` or `documents_per_shard`"
    )
