"""Pairs of ensembles to compare."""

import pytest

from tests.configuration.studies import (
    CONFIG,
    FINAL,
    FIRST,
    NASTY,
    changed,
    check_sentence,
    comparing,
    sentence,
)
from workflow_scripts.comparisons.configuration import same_documents
from workflow_scripts.configuration.study import resolve


def test_what_is_no_list_of_pairs_is_refused():
    check_sentence("comparisons", {}, "{} is not of type 'array'; Pairs of ensembles to compare")


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(FIRST,)], "comparisons.0: [{'model'"),
        ([(FIRST, FINAL, FINAL)], "comparisons.0: [{'model'"),
        ([(FIRST, {"model": "a"})], "comparisons.0.1: `dataset` is missing"),
        (
            [(FIRST, FINAL | {"layers": 3})],
            "comparisons.0.1.layers: unknown key; did you mean `lay",
        ),
        ([(FIRST, FINAL | {"layer": 1.0})], "comparisons.0.1.layer: 1.0 is not allowed here; One "),
        (
            [(FIRST, FINAL | {"layer": "last"})],
            "comparisons.0.1.layer: 'last' is not allowed here; ",
        ),
        (
            [(FIRST, FINAL | {"model": "b"})],
            "comparisons.0.1.model: 'b' is not one of the models; ",
        ),
        (
            [(FIRST, FINAL | {"dataset": "b"})],
            "comparisons.0.1.dataset: 'b' is not one of the data",
        ),
        (
            [(FIRST, FINAL | {"layer": 7})],
            "comparisons.0.1.layer: layer 7 of a is not measured; add ",
        ),
        (
            [(FINAL, FINAL | {"layer": 6})],
            "comparisons.0: compares an ensemble with itself; change ",
        ),
        (
            [(FIRST, FINAL), (FIRST, FINAL | {"layer": 6})],
            "comparisons.1: the same as comparisons.0; remove it",
        ),
    ],
)
def test_a_mistaken_comparison_gets_one_sentence(pairs, expected):
    assert sentence(comparing(*pairs)).startswith(expected)


@pytest.mark.parametrize("value", [value for value in NASTY if value and value != "{x}"])
def test_a_reference_to_what_could_carry_a_command_is_refused(value):
    for key in ("model", "dataset"):
        config = comparing((FIRST, FINAL | {key: value}))
        assert sentence(config).startswith(f"comparisons.0.1.{key}: {value!r} is not one of the ")


def test_the_layer_of_a_comparison_becomes_a_number():
    study = resolve(comparing((FIRST, FINAL), (FINAL, FIRST)))
    last = FINAL | {"layer": 6}
    assert study["comparisons"] == [[FIRST, last], [last, FIRST]]
    assert resolve(CONFIG)["comparisons"] == []


def test_errors_are_paired_where_documents_are_the_same():
    config = changed("datasets/nulls/documents_per_shard", 50)
    datasets = resolve(config)["datasets"]
    assert same_documents("text", "own", datasets)
    assert same_documents("again", "text", datasets)
    assert not same_documents("text", "nulls", datasets)
