"""What is continued, and by which methods."""

import copy
import inspect
from importlib import import_module
from pathlib import Path

import pytest

from tests.configuration.studies import CONFIG, sentence, steering
from workflow_scripts.configuration.study import resolve
from workflow_scripts.decoding import methods
from workflow_scripts.decoding.configuration import method_options, values_in

METHODS = sorted(
    file.stem for file in Path(methods.__file__).parent.glob("*.py") if file.stem != "__init__"
)
NEEDED = {"steering": {"layer": 6}}


def continuing(conditions=None, **study):
    """The configuration with something to continue."""
    spec = {"model": "a", "dataset": "text", "prompt_tokens": 4}
    spec |= {"conditions": conditions or {"one": {"method": "greedy"}}}
    return copy.deepcopy(CONFIG | {"decoding": [spec | study]})


def condition_of(**condition):
    (spec,) = resolve(continuing({"one": condition}))["decoding"]
    return spec["conditions"]["one"]


def test_what_is_continued_is_filled_in():
    assert resolve(CONFIG)["decoding"] == []
    (spec,) = resolve(continuing())["decoding"]
    assert (spec["prompts"], spec["write"], spec["seed"]) == (32, 256, 0)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_what_it_takes_in_the_schema(name):
    """With the same defaults; and each of its numbers but a layer may be a list."""
    condition = condition_of(method=name, **NEEDED.get(name, {}))
    module = import_module(f"workflow_scripts.decoding.methods.{name}")
    taken = {
        key: parameter.default
        for key, parameter in inspect.signature(getattr(module, name)).parameters.items()
        if key not in ("running", "prompts", "into")
    }
    assert set(method_options(condition)) == set(taken)
    for key, default in taken.items():
        if isinstance(default, tuple):
            assert default == (condition[key],)
            other = default[0] + (1 if isinstance(default[0], int) else 0.01)
            curve = condition_of(method=name, **NEEDED.get(name, {}) | {key: [other, default[0]]})
            assert curve[key] == sorted([other, default[0]]) and values_in(curve) == 2
        else:
            assert key == "layer" or default == condition[key]
    assert values_in(condition) == 1


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ({"model": "b"}, ".model: 'b' is not one of the models; name one of a, a-random"),
        ({"dataset": "nulls"}, ".dataset: 'nulls' is not a dataset of text; name one of text"),
        ({"prompts": 7}, ".prompts: 7 is less than the minimum of 8; Documents whose beginnings a"),
        ({"prompts": 101}, ".prompts: 101 is more than the 100 that text allows; lower it, or rai"),
        ({"prompt_tokens": 10}, ".prompt_tokens: 10 is more than the 9 that text allows; lower it"),
        ({"write": 3}, ".write: 3 is less than the minimum of 4; Tokens to write"),
        ({"conditions": {"0.8": {"method": "greedy"}}}, ".conditions.0.8: pandas, polars or Duck"),
        ({"conditions": {"a b": {"method": "greedy"}}}, ".conditions: the name 'a b' is not allow"),
    ],
)
def test_what_cannot_be_continued_is_refused(study, expected):
    assert sentence(continuing(**study)).startswith(f"decoding.0{expected}")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"method": "top"}, ".method: 'top' is not one of beams, block, contrastive, "),
        ({"method": "nucleus", "mas": 1}, ".mas: unknown key; did you mean `mass`?"),
        ({"method": "greedy", "mass": 1}, ".mass: unknown key; known keys: method"),
        ({"method": "nucleus", "mass": 1.5}, ".mass: 1.5 is greater than the maximum of 1; Proba"),
        ({"method": "nucleus", "mass": [0.5, 0]}, ".mass.1: 0 is less than or equal to the minim"),
        ({"method": "nucleus", "mass": []}, ".mass: [] should be non-empty; Probability that the"),
        ({"method": "nucleus", "mass": [1, 1.0]}, ".mass: [1, 1.0] has non-unique elements; Prob"),
        ({"method": "nucleus", "mass": ["1"]}, ".mass.0: '1' is not of type 'number'; write 1.0 ("),
        ({"method": "no_repeat", "ngram": 1.5}, ".ngram: 1.5 is not of type 'integer'; Tokens of"),
        ({"method": "sampling", "sampling_temperature": -1}, ".sampling_temperature: -1 is less "),
        (
            {"method": "sampling", "sampling_temperature": [1, 1e-9]},
            ".sampling_temperature: logits divided by 1e-09 may be no numbers; write 0, which take",
        ),
        (
            {"method": "min_p", "share": [0.1, 0.2], "sampling_temperature": [1, 2]},
            ".sampling_temperature: a list, as share is, and a condition is a curve over one key; ",
        ),
        ({"method": "steering"}, ": `layer` is missing"),
        ({"method": "steering", "layer": 7}, ".layer: layer 7 does not exist (the model has layer"),
        ({"method": "steering", "layer": [5, 6]}, ".layer: [5, 6] is not of type 'integer'; Laye"),
        ({"method": "penalty", "penalty": 0.9}, ".penalty: 0.9 is less than the minimum of 1; By"),
        ({"method": "beams", "beams": 1}, ".beams: 1 is less than the minimum of 2; Texts that a"),
        (
            {"method": "energy_guard", "threshold": 1.01},
            ".threshold: 1.01 is greater than the maximum of 1; Lowest energy that a step may have",
        ),
        (
            {"method": "energy_guard", "threshold": [-2, 0]},
            ".threshold.0: -2 is less than the minimum of -1; Lowest energy that a step may have",
        ),
        ({"method": "energy_guard", "periods": 0}, ".periods: 0 is less than the minimum of 1; L"),
        (
            {"method": "go_back", "threshold": 1.5},
            ".threshold: 1.5 is greater than the maximum of ",
        ),
        (
            {"method": "go_back", "patience": 1},
            ".patience: 1 is less than the minimum of 2; Tokens",
        ),
        (
            {"method": "go_back", "watch": "both"},
            ".watch: 'both' is not one of energy, margin",
        ),
        (
            {"method": "go_back", "patience": [8, 257]},
            ".patience: 257 is more than the 256 tokens to write, so no text is ever judged; lo",
        ),
    ],
)
def test_what_a_method_cannot_do_is_refused(condition, expected):
    said = sentence(continuing({"one": condition}))
    assert said.startswith(f"decoding.0.conditions.one{expected}")


def test_no_pair_twice():
    config = continuing()
    config["decoding"] *= 2
    assert sentence(config).startswith("decoding.1: the same model and dataset as decoding.0; ")


def test_decoding_is_no_part_of_steering_any_more():
    said = sentence(steering({"decoding": {"layer": 6}}))
    assert said.startswith("steering.0.decoding: decoding is a key of its own now; leave it out, ")
