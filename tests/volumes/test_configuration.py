"""What an entry of volumes is refused for, in one sentence with key and remedy."""

import copy
import dataclasses

import pytest

from tests.configuration.studies import CONFIG, LENS, sentence
from workflow_scripts.configuration.schema import schema
from workflow_scripts.configuration.study import resolve
from workflow_scripts.volumes.configuration import groups_of_pairs, spaces_at
from workflow_scripts.volumes.sampling import Sampled

ENTRY = {"model": "a", "dataset": "text"}


def sampling(*entries, **keys):
    """The configuration with volumes; `...` leaves a key out."""
    entry = {name: value for name, value in (ENTRY | keys).items() if value is not ...}
    config = copy.deepcopy(CONFIG) | {"volumes": [entry, *entries]}
    config["models"] |= {"a-lens": LENS, "a-loops": {"like": "a", "rivals": {"periods": 4}}}
    config["models"]["few"] = {"like": "a", "layers": [2, 4]}
    return config


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"model": ...}, "volumes.0: `model` is missing"),
        ({"model": "b"}, "volumes.0.model: 'b' is not one of the models; name one of a, a-random,"),
        ({"model": "a-lens"}, "volumes.0.model: 'a-lens' is a lens, and the model that it is for"),
        (
            {"model": "a-loops"},
            "volumes.0.model: 'a-loops' holds the correct token against more than the last one; na",
        ),
        ({"dataset": "nulls"}, "volumes.0.dataset: 'nulls' is not a dataset of text; name one"),
        ({"spaces": ["torus"]}, "volumes.0.spaces.0: 'torus' is not one of gaussian, inner_g"),
        (
            {"held_against": ["top"]},
            "volumes.0.held_against.0: 'top' is not one of correct, likeliest",
        ),
        ({"layers": [7]}, "volumes.0.layers: layer 7 does not exist (the model has layers 0 to 6)"),
        (
            {"model": "few", "layers": [3], "spaces": ["gaussian"]},
            "volumes.0.layers: layer 3 of few is not measured, and volumes stand beside the en",
        ),
        (
            {"layers": [3]},
            "volumes.0.spaces: sphere is the same at all layers, and sampled at the last; add ",
        ),
        (
            {"spaces": ["inner_gaussian"]},
            "volumes.0.spaces: inner_gaussian is of layers with blocks above them, and 6 is the l",
        ),
        (
            {"layers": [3], "spaces": ["tokens"]},
            "volumes.0.spaces: tokens is the same at all layers, and sampled at the last; add 6 to",
        ),
        (
            {"walkers": 64, "culled": 33},
            "volumes.0.culled: 33 of 64 walkers can't be replaced at a step, each by another o",
        ),
        (
            {"pairs": 101},
            "volumes.0.pairs: 101 is more than the 100 that text allows; lower it, or",
        ),
        ({"moves": 0}, "volumes.0.moves: 0 is less than the minimum of 1; Moves of a copy away"),
        (
            {"bottom": 0},
            "volumes.0.bottom: 0 is greater than or equal to the maximum of 0; Energy,",
        ),
        ({"bottom": -1}, "volumes.0.bottom: -1 is less than or equal to the minimum of -1; Energy"),
        ({"depth": 0}, "volumes.0.depth: 0 is less than or equal to the minimum of 0; Nats by"),
        ({"walker": 3}, "volumes.0.walker: unknown key; did you mean `walkers`?"),
    ],
)
def test_a_mistake_gets_one_sentence(keys, expected):
    assert sentence(sampling(**keys)).startswith(expected)


def test_a_pair_is_sampled_once():
    expected = "volumes.1: the same model and dataset as volumes.0, both for sphere; remove it, or"
    assert sentence(sampling(ENTRY)).startswith(expected)
    apart = resolve(sampling(ENTRY | {"spaces": ["gaussian"]}, spaces=["sphere"], pairs=3))
    assert [spec["pairs"] for spec in apart["volumes"]] == [3, 16]


def test_defaults_are_the_last_layer_and_both_spaces():
    (spec,) = resolve(sampling())["volumes"]
    assert spec["layers"] == [6] and spec["held_against"] == ["correct"]
    assert spaces_at(spec, 6, 6) == ["sphere", "gaussian"] and spaces_at(spec, 3, 6) == ["gaussian"]
    assert list(groups_of_pairs(spec)) == [0, 8]
    (spec,) = resolve(sampling(model="few", spaces=["gaussian"], layers=[4, 2]))["volumes"]
    assert spec["layers"] == [2, 4]
    assert spaces_at({"spaces": ["inner_sphere", "tokens"]}, 6, 6) == ["tokens"]
    assert spaces_at({"spaces": ["inner_sphere", "tokens"]}, 3, 6) == ["inner_sphere"]


def test_defaults_of_the_commands_are_those_of_the_schema():
    keys = schema()["$defs"]["volumes"]["properties"]
    for field in dataclasses.fields(Sampled):
        default = keys.get(field.name, {}).get("default", ...)
        if field.name == "against":
            assert [field.default] == keys["held_against"]["default"]
        elif default is not ...:
            assert field.default == default, field.name
