"""What an entry of `attention` is refused for, in one sentence with key and remedy."""

import copy

import pytest

from tests.configuration.studies import CONFIG, sentence
from workflow_scripts.configuration.study import resolve

ENTRY = {"model": "a", "dataset": "text"}


def attending(*entries, **keys):
    """The configuration with entries; `...` leaves a key out."""
    entry = {name: value for name, value in (ENTRY | keys).items() if value is not ...}
    return copy.deepcopy(CONFIG) | {"attention": [entry, *entries]}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"model": ...}, "attention.0: `model` is missing"),
        ({"model": "b"}, "attention.0.model: 'b' is not one of the models; name one of a, a-ran"),
        ({"dataset": "txt"}, "attention.0.dataset: 'txt' is not one of the datasets; name one of"),
        ({"heads": [-1]}, "attention.0.heads.0: -1 is less than the minimum of 0"),
        ({"heads": []}, "attention.0.heads: [] "),
        ({"quantiles": 1}, "attention.0.quantiles: 1 is less than the minimum of 2; Groups of as"),
        ({"layers": [1]}, "attention.0.layers: unknown key"),
    ],
)
def test_a_mistake_gets_one_sentence(keys, expected):
    assert sentence(attending(**keys)).startswith(expected)


def with_text(**keys):
    config = attending(quantiles=50)
    config["datasets"]["text"] |= keys
    return config


def test_a_dataset_too_short_for_quantiles_is_refused():
    config = with_text(documents_per_shard=8, shards=1, tokens_per_document=9)
    config["datasets"] = {"text": config["datasets"]["text"]}
    assert sentence(config) == (
        "attention.0.quantiles: 50 groups of 20 states are more than the 64 that text has; lower "
        "it, or raise datasets.text.shards"
    )


def test_fewer_documents_than_two_a_group_are_refused_before_any_is_measured():
    config = with_text(documents_per_shard=99, shards=1, tokens_per_document=500)
    config["datasets"] = {"text": config["datasets"]["text"]}
    assert sentence(config).startswith(
        "attention.0.quantiles: 50 groups of 2 documents are more than the 99 that text has, and"
    )
    config["datasets"]["text"]["documents_per_shard"] = 100
    assert resolve(config)["attention"][0]["quantiles"] == 50


def test_a_dataset_of_few_documents_is_refused():
    config = with_text(documents_per_shard=4, shards=1)
    config["datasets"] = {"text": config["datasets"]["text"]}
    assert sentence(config).startswith("attention.0.dataset: text has 4 documents, and error bars")


def test_what_is_not_measured_and_a_pair_that_is_there_already_are_refused():
    config = attending()
    config["datasets"]["text"]["measured"] = False
    config["datasets"] = {"text": config["datasets"]["text"], "other": CONFIG["datasets"]["text"]}
    assert sentence(config).startswith("attention.0.dataset: text is not measured")
    assert sentence(attending(ENTRY)).startswith(
        "attention.1: the same model and dataset as attention.0; remove it, or add its `heads` th"
    )


def test_an_entry_of_several_models_is_one_of_each_and_any_dataset_will_do():
    study = resolve(attending(model=["a", "a-random"], dataset="nulls", heads=[2, 0]))
    assert [(spec["model"], spec["dataset"]) for spec in study["attention"]] == [
        ("a", "nulls"),
        ("a-random", "nulls"),
    ]
    assert study["attention"][1]["heads"] == [0, 2]
    assert (study["attention"][0]["quantiles"], study["attention"][0]["draws"]) == (5, 200)
