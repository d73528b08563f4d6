"""Entries of models of which something is changed while they run."""

from __future__ import annotations

import dataclasses
from importlib import import_module

import pytest

from tests.configuration.studies import changed, sentence
from workflow_scripts.configuration.schema import schema
from workflow_scripts.configuration.study import resolve

TWICE = {"kind": "attention_scale", "scale": 2}

TRAINED = {
    "source": "trained",
    "like": "a",
    "train": {"dataset": "text", "documents": 4, "tokens": 100_000},
}


def with_b(**entry):
    return changed("models/b", entry)


@pytest.mark.parametrize(
    ("intervention", "expected"),
    [
        ("attention_scale", ": 'none' was expected; `none`, or a kind with its keys, such as "),
        (None, ": 'none' was expected; "),
        ({}, ": `kind` is missing"),
        ({"kind": "sink_of"}, ".kind: 'sink_of' is not one of attention_"),
        ({"kind": "attention_scale"}, ": `scale` is missing"),
        (TWICE | {"scale": 0}, ".scale: 0 is less than or equal to the minimum of 0; β, what "),
        (TWICE | {"scale": -1}, ".scale: -1 is less than or equal to the minimum of 0; "),
        (TWICE | {"scale": float("nan")}, ".scale: nan is not of type 'number'; β, what logits "),
        (TWICE | {"scale": float("inf")}, ".scale: inf is not of type 'number'; β, what logits "),
        (
            TWICE | {"layers": [7]},
            ".layers: layer 7 does not exist (the model has layers ",
        ),
        (TWICE | {"layers": [0]}, ".layers.0: 0 is less than the minimum of 1; A layer, from 1, "),
        (TWICE | {"heads": [[7, 0]]}, ".heads: layer 7 does not exist "),
        (TWICE | {"heads": [[0, 0]]}, ".heads: layer 0 is the embedding, and blocks count from 1"),
        (TWICE | {"heads": [[1, 0]], "layers": [1]}, ".heads: name their layer themselves; leave "),
        ({"kind": "heads_off"}, ": `heads` is missing"),
        ({"kind": "heads_off", "heads": [3]}, ".heads.0: 3 is not of type 'array'; A head as "),
        ({"kind": "sink_off", "layers": [1]}, ".layers: unknown key; "),
        ({"kind": "attention_window", "window": 0}, ".window: 0 is less than the minimum of 1; "),
        ({"kind": "weight_noise", "noise": 0}, ".noise: 0 is less than or equal to the minimum "),
        ({"kind": "layers_skipped", "layers": [7]}, ".layers: layer 7 does not exist "),
    ],
)
def test_a_mistake_is_one_sentence(intervention, expected):
    found = sentence(with_b(like="a", intervention=intervention))
    assert found.startswith(f"models.b.intervention{expected}")


def test_a_model_is_trained_with_nothing_changed():
    where = "models.b.intervention: a model is trained as its weights say, with nothing changed; "
    assert sentence(with_b(**TRAINED, intervention=TWICE)).startswith(where)
    config = with_b(**TRAINED | {"like": "c"})
    config["models"]["c"] = {"like": "a", "intervention": TWICE}
    assert sentence(config).startswith(where)
    config["models"]["b"]["intervention"] = "none"
    assert resolve(config)["models"]["b"]["intervention"] == "none"


def test_an_entry_runs_on_the_weights_of_another_one_and_its_own_answer_stands_alone():
    config = with_b(like="a", intervention=TWICE)
    sink = {"kind": "sink_off"}
    config["models"] |= {
        "same": {"like": "b", "dtype": "bfloat16"},
        "other": {"like": "b", "intervention": sink},
        "plain": {"like": "b", "intervention": "none"},
        "fresh": {"source": "random", "like": "b"},
    }
    models = resolve(config)["models"]
    assert {name: (spec["weights"], spec["intervention"]) for name, spec in models.items()} == {
        "a": ("a", "none"),
        "a-random": ("a-random", "none"),
        "b": ("a", TWICE),
        "same": ("a", TWICE),
        "other": ("a", sink),
        "plain": ("a", "none"),
        "fresh": ("fresh", TWICE),
    }


def test_every_kind_has_the_keys_and_defaults_of_its_class():
    definitions = schema()["$defs"]
    branches = {
        branch["if"]["properties"]["kind"]["const"]: branch["then"]
        for branch in definitions["intervention"]["allOf"]
    }
    seed = definitions["seed"]["default"]
    for kind in definitions["intervention"]["properties"]["kind"]["enum"]:
        module = import_module(f"workflow_scripts.semstat.interventions.{kind}")
        made = getattr(module, "".join(word.title() for word in kind.split("_")))
        own = {field.name: field for field in dataclasses.fields(made)}
        keys = branches.get(kind, {"properties": {}, "required": []})
        assert keys["properties"].keys() == own.keys(), kind
        for name, field in own.items():
            needed = field.default is dataclasses.MISSING or (kind, name) in NAMED
            assert (name in keys["required"]) == needed, (kind, name)
            if name == "seed":
                assert field.default == seed


NAMED = {("heads_off", "heads"), ("layers_skipped", "layers")}
"""Keys that may not be empty, though the classes have them so by default."""
