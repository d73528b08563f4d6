"""How the prompts of what is steered are continued."""

import pytest

from tests.configuration.studies import sentence, steering
from workflow_scripts.configuration.study import resolve
from workflow_scripts.decoding.configuration import decoding_keys


def test_how_prompts_are_continued_is_filled_in():
    (spec,) = resolve(steering({}))["steering"]
    assert spec["decoding"]["ngram"] == 4
    assert set(decoding_keys()) == set(spec["decoding"])


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"decoding": {"layer": 7}}, ".decoding.layer: layer 7 does not exist (the model has "),
        ({"decoding": {}}, ".decoding: `layer` is missing"),
        ({"decoding": {"layer": 6, "ngram": 1}}, ".decoding.ngram: 1 is less than the minimum of"),
        ({"decoding": {"layr": 6, "layer": 6}}, ".decoding.layr: unknown key; did you mean `laye"),
        ({"decoding": {"layer": 6}}, ".decoding.prompt_tokens: 32 is more than the 9 that text "),
    ],
)
def test_what_cannot_be_continued_is_refused(entry, expected):
    assert sentence(steering(entry)).startswith(f"steering.0{expected}")


def test_no_more_prompts_than_there_are_documents():
    many = {"layer": 6, "prompt_tokens": 9, "prompts": 101}
    assert sentence(steering({"decoding": many})).startswith(
        "steering.0.decoding.prompts: 101 is more than the 100 that text allows; lower it, or raise"
    )
