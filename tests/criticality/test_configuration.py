"""What a sweep of the sampling temperature is refused for, in one sentence with key and remedy."""

import copy

import pytest

from tests.configuration.studies import CONFIG, sentence
from workflow_scripts.configuration.study import resolve
from workflow_scripts.criticality.configuration import writers

SWEEP = {"model": "a", "dataset": "text", "prompt_tokens": 4}


def sweeping(*entries, **keys):
    """The configuration with sweeps; `...` leaves a key out."""
    entry = {name: value for name, value in (SWEEP | keys).items() if value is not ...}
    return copy.deepcopy(CONFIG) | {"criticality": [entry, *entries]}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"model": ...}, "criticality.0: `model` is missing"),
        ({"model": "b"}, "criticality.0.model: 'b' is not one of the models; name one of a, a-ran"),
        ({"dataset": "nulls"}, "criticality.0.dataset: 'nulls' is not a dataset of text; name one"),
        ({"counted_on": "own"}, "criticality.0.counted_on: 'own' is not a dataset of text; name o"),
        (
            {"sampling_temperatures": [0, 0.5, -0.1]},
            "criticality.0.sampling_temperatures.2: -0.1 is less than the minimum of 0; Tokens are",
        ),
        (
            {"sampling_temperatures": [0, 0.5, 1e-9]},
            "criticality.0.sampling_temperatures: logits divided by 1e-09 may be no numbers; write",
        ),
        (
            {"sampling_temperatures": [0, 1]},
            "criticality.0.sampling_temperatures: [0, 1] is too sh",
        ),
        (
            {"sampling_temperatures": [0, 1, 1.0]},
            "criticality.0.sampling_temperatures: [0, 1, 1.0] has non-unique elements; Sampling te",
        ),
        (
            {"lengths": [32, 128]},
            "criticality.0.lengths.0: 32 is less than the minimum of 48; Tokens, at least 48: a lo",
        ),
        ({"lengths": [128]}, "criticality.0.lengths: [128] is too short; Lengths of text at which"),
        (
            {"prompts": 5},
            "criticality.0.prompts: 5 is less than the minimum of 6; Documents whose ",
        ),
        (
            {"prompts": 300},
            "criticality.0.prompts: 300 is more than the 100 that text allows; lowe",
        ),
        ({"prompt_tokens": 10}, "criticality.0.prompt_tokens: 10 is more than the 9 that text all"),
        ({"prompt_tokens": 0}, "criticality.0.prompt_tokens: 0 is less than the minimum of 1; Tok"),
        ({"runs": 1}, "criticality.0.runs: 1 is less than the minimum of 2; Texts written after "),
        ({"nulls": ["trigrams"]}, "criticality.0.nulls.0: 'trigrams' is not one of frequencies, b"),
        (
            {"temperatures": [1]},
            "criticality.0.temperatures: unknown key; did you mean `sampling_t",
        ),
    ],
)
def test_a_mistake_gets_one_sentence(keys, expected):
    assert sentence(sweeping(**keys)).startswith(expected)


def test_a_pair_is_swept_once():
    expected = "criticality.1: the same model and dataset as criticality.0; remove it, or add its "
    assert sentence(sweeping(SWEEP)).startswith(expected)


def test_defaults_are_a_sweep_as_wide_as_is_asked_for():
    (spec,) = resolve(sweeping())["criticality"]
    temperatures = spec["sampling_temperatures"]
    assert temperatures == sorted(temperatures) and temperatures[0] == 0 and temperatures[-1] == 2
    assert len(temperatures) >= 16 and spec["lengths"] == [128, 256, 512, 1024]
    assert spec["counted_on"] == "text" and spec["prompts"] * spec["runs"] >= 8
    assert writers(spec) == ["model", "frequencies", "bigrams"]


def test_temperatures_and_lengths_become_ascending():
    keys = {"sampling_temperatures": [1, -0.0, 0.5], "lengths": [96, 48]}
    (spec,) = resolve(sweeping(**keys))["criticality"]
    assert spec["sampling_temperatures"] == [0.0, 0.5, 1.0] and spec["lengths"] == [48, 96]
    assert str(spec["sampling_temperatures"][0]) == "0.0", "it is written in paths"
