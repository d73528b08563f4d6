"""What is steered."""

import pytest

from tests.configuration.studies import CONFIG, LENS, TRAINING, sentence, steering
from workflow_scripts.configuration.study import resolve
from workflow_scripts.steering.configuration import steering_keys


def test_what_is_steered_is_filled_in():
    assert resolve(CONFIG)["steering"] == []
    (spec,) = resolve(steering({}))["steering"]
    assert spec["layers"] == [2, 4] and spec["effects"] == sorted(spec["effects"])
    assert spec["seed"] == 0
    assert set(steering_keys()) | {"model", "dataset"} == set(spec)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"model": "a-random"}, ".model: 'a-random' has random weights, so there is nothing to "),
        ({"model": "b"}, ".model: 'b' is not one of the models; name one of a"),
        ({"dataset": "nulls"}, ".dataset: 'nulls' is not a dataset of text; name one of text"),
        ({"layers": [7]}, ".layers: layer 7 does not exist (the model has layers 0 to 6)"),
        ({"effects": [0.0]}, ".effects.0: 0.0 is less than or equal to the minimum of 0; "),
        ({"quantities": ["H"]}, ".quantities.0: 'H' is not one of correct, last, entropy"),
        ({"documents": 101}, ".documents: 101 is more than the 100 that text allows; lower it, or"),
        ({"position": 9}, ".position: 9 is more than the 8 that text allows; lower it, or raise "),
    ],
)
def test_what_cannot_be_steered_is_refused(entry, expected):
    assert sentence(steering(entry)).startswith(f"steering.0{expected}")


def test_a_lens_is_not_steered_and_no_pair_twice():
    config = steering({"model": "lens"})
    config["models"]["lens"] = LENS
    config["datasets"]["text"] |= {"documents_per_shard": 9}
    assert sentence(config).startswith("steering.0.model: 'lens' is a lens, and the model that it")
    twice = sentence(steering({}, {"layers": [3]}))
    assert twice.startswith("steering.1: the same model and dataset as steering.0; remove it, or ")


def test_what_is_steered_has_trained_weights():
    config = steering({"model": "b"})
    config["models"]["b"] = {"like": "a-random", "dtype": "bfloat16"}
    assert sentence(config).startswith("steering.0.model: 'b' has random weights, so there is ")
    config["models"]["b"]["like"] = "a"
    assert resolve(config)["steering"][0]["model"] == "b", "the weights of a, run in another way"
    config["models"]["b"] = CONFIG["models"]["a"] | {"readout": "tuned_lens", "lens": TRAINING}
    assert resolve(config)["steering"][0]["model"] == "b"


def test_too_few_blocks_are_blamed_on_the_key_that_says_so():
    expected = "steering.0.layers: layer 4 does not exist (the model has layers 0 to 3): models."
    config = steering({})
    config["models"]["a"]["blocks"] = 3
    assert sentence(config) == f"{expected}a.blocks is 3; correct one of the two"
    config["models"]["b"] = {"source": "random", "like": "a", "layers": [9]}
    assert "models.b.layers: layer 9 does not exist (" in sentence(config)
    assert ": models.a.blocks is 3; correct" in sentence(config)
