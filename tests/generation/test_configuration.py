"""Entries of datasets that a model writes itself."""

import pytest

from tests.configuration.studies import CONFIG, changed, check_sentence, sentence
from workflow_scripts.configuration.study import resolve
from workflow_scripts.generation.configuration import is_generated


@pytest.mark.parametrize(
    ("where", "value", "what"),
    [
        ("datasets/own/of", "nulls", "'nulls' is not a dataset of text; name one of text"),
        ("datasets/own/temperature", 1, "unknown key; did you mean `sampling_temperature`?"),
        ("datasets/own/sampling_temperature", -1, "-1 is less than the minimum of 0; Tokens are "),
        ("datasets/own/sampling_temperature", "hot", "'hot' is not of type 'number'; Tokens are "),
        ("datasets/own/sampling_temperature", float("inf"), "inf is not of type 'number'; "),
        ("datasets/own/sampling_temperature", 1e-308, "logits divided by 1e-308 may be no numbers"),
        ("datasets/own/sampling_temperature", 10**400, "1000"),
        ("datasets/own/prompt_tokens", 9, "9 leave none of 9 tokens to write; lower it or raise "),
    ],
)
def test_a_mistake_gets_one_sentence_with_file_key_and_remedy(where, value, what):
    check_sentence(where, value, what)


def test_greedy_text_from_nothing_would_be_one_document():
    config = changed("datasets/own/prompt_tokens", 0)
    config["datasets"]["own"]["sampling_temperature"] = 0
    expected = "datasets.own.sampling_temperature: without a prompt, 0 would write one document "
    assert sentence(config).startswith(expected)


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        ("datasets/own/sampling_temperature", ..., "datasets.own: `sampling_temperature` is miss"),
        (
            "datasets/text/tokens_per_document",
            ...,
            "datasets.own.tokens_per_document: how much to write is not said, neither here nor in "
            "text; add it",
        ),
    ],
)
def test_a_mistake_in_an_entry_is_put_where_it_can_be_mended(where, value, expected):
    assert sentence(changed(where, value)).startswith(f"{expected}")


def test_which_datasets_are_generated():
    datasets = resolve(CONFIG)["datasets"]
    assert [name for name, spec in datasets.items() if is_generated(spec)] == ["own"]
