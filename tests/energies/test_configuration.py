"""How energies are measured: `measurement`, and what a model's entry says instead."""

import pytest

from tests.configuration.studies import NASTY, changed, check_sentence, sentence
from workflow_scripts.configuration.study import resolve

UNLIKE_LAYERS = "is not allowed here; Layers to read out: a list, `all`, or `every: k` for 0, k, "


@pytest.mark.parametrize(
    ("where", "value", "what"),
    [
        ("models/a/layerz", [1], "unknown key; did you mean `layers`?"),
        ("models/a/layers", [1, 7], "layer 7 does not exist (the model has layers 0 to 6)"),
        ("models/a-random/layers", [7], "layer 7 does not exist (the model has layers 0 to 6)"),
        ("models/a/layers", "some", f"'some' {UNLIKE_LAYERS}"),
        ("models/a/layers", [], f"[] {UNLIKE_LAYERS}"),
        ("models/a/layers", [1, 1], f"[1, 1] {UNLIKE_LAYERS}"),
        ("models/a/layers", [-1], f"[-1] {UNLIKE_LAYERS}"),
        ("models/a/layers", [1.0], f"[1.0] {UNLIKE_LAYERS}"),
        ("models/a/layers", {"every": 0}, f"{{'every': 0}} {UNLIKE_LAYERS}"),
        ("models/a/layers", {"each": 2}, f"{{'each': 2}} {UNLIKE_LAYERS}"),
        ("models/a/dtype", "int8", "'int8' is not one of float32, bfloat16, float16"),
        ("models/a/readout", "tuned", "'tuned' is not one of logit_lens"),
        (
            "models/a/stride",
            2000,
            "2000 is larger than the context of 1024 tokens, so states would ",
        ),
        ("measurement/contxt", 9, "unknown key; did you mean `context`?"),
        ("measurement", None, "None is not of type 'object'; "),
    ],
)
def test_a_mistake_gets_one_sentence_with_file_key_and_remedy(where, value, what):
    check_sentence(where, value, what)


def test_a_mistake_in_the_measurement_is_put_where_it_can_be_mended():
    found = sentence(changed("measurement/layers", [7]))
    assert found.startswith("models.a.layers: layer 7 does not exist ")


@pytest.mark.parametrize("value", [value for value in NASTY if value and value != "{x}"])
def test_a_choice_that_could_carry_a_command_is_refused(value):
    for key in ("dtype", "attention", "device", "readout"):
        config = changed(f"models/a/{key}", value)
        assert sentence(config).startswith(f"models.a.{key}: {value!r} is not one of ")
    kind = sentence(changed("models/a/intervention/kind", value))
    assert kind.startswith(f"models.a.intervention.kind: {value!r} is not one of ")
    assert sentence(changed("models/a/intervention", value)).startswith("models.a.intervention: ")


def test_a_model_overrides_the_measurement():
    config = changed("measurement", {"context": 64, "stride": 64, "layers": [2]})
    config["models"]["a"] |= {"context": 128, "layers": [0]}
    study = resolve(config)["models"]["a"]
    assert (study["context"], study["stride"], study["layers"]) == (128, 64, [0])


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("all", [0, 1, 2, 3, 4, 5, 6]),
        ({"every": 1}, [0, 1, 2, 3, 4, 5, 6]),
        ({"every": 4}, [0, 4, 6]),
        ({"every": 3}, [0, 3, 6]),
        ({"every": 99}, [0, 6]),
        ([6, 0, 3], [0, 3, 6]),
        ([2], [2]),
    ],
)
def test_layers_become_a_sorted_list(layers, expected):
    study = resolve(changed("measurement/layers", layers))
    assert study["models"]["a"]["layers"] == study["models"]["a-random"]["layers"] == expected
