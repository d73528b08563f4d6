"""Model entries that are read out through a tuned lens."""

import pytest

from tests.configuration.studies import CONFIG, HUB, LENS, NASTY, TRAINING, changed, sentence
from workflow_scripts.configuration.study import resolve
from workflow_scripts.lenses.configuration import lenses_of


@pytest.mark.parametrize("like", ["a", "a-random"])
def test_a_tuned_lens_inherits_all_but_the_source(like):
    config = changed("models/a/layers", [6, 0])
    config["models"]["a"] |= {"dtype": "bfloat16", "readout": "logit_lens"}
    config["models"]["a-random"]["context"] = 600
    config["models"]["tuned"] = LENS | {"like": like, "stride": 100}
    found = resolve(config)["models"]
    origin = {"source", "path", "like", "seed", "readout", "stride"}
    inherited = {key: value for key, value in found[like].items() if key not in origin}
    assert found["tuned"] == inherited | {
        "readout": "tuned_lens", "like": like, "weights": like, "stride": 100,
        "lens": {"train_on": "text", "train_documents": 8, "epochs": 1, "seed": 0},
        "measured_documents": 100,
    }  # fmt: skip
    assert lenses_of(found) == {"tuned": found["tuned"]}


def test_a_tuned_lens_knows_what_is_measured():
    config = changed("models/tuned", LENS)
    for dataset in config["datasets"].values():
        dataset["documents_per_shard"] = 7  # a repetition has the same ones in each shard
    config["datasets"]["text"] |= {"shards": 3, "documents_per_shard": 10}
    config["datasets"]["nulls"]["shards"] = 2
    config["datasets"]["more"] = {"source": "path", "files": "*.md", "shards": 9}
    assert resolve(config)["models"]["tuned"]["measured_documents"] == 30
    config["datasets"]["nulls"]["shards"] = 5
    assert resolve(config)["models"]["tuned"]["measured_documents"] == 35


def test_a_tuned_lens_needs_documents_that_are_not_measured():
    text = {"split": "train", "documents": 107, "tokens_per_document": 50}
    config = changed("datasets/text", HUB | text)
    config["models"]["tuned"] = LENS
    assert sentence(config).startswith(
        "models.tuned.lens.train_documents: 8 beside the 100 that are measured are more than the "
        "107 "
    )
    config["datasets"]["text"]["documents"] = 108
    assert resolve(config)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"like": "b"}, ".like: 'b' is not a model to read out; name one of a, a-random"),
        ({"like": "tuned"}, ".like: 'tuned' is not a model to read out; name one of a, a-random"),
        ({"blocks": 6}, ".blocks: a tuned lens cannot change it; leave it to a"),
        ({"prefix_token": "<s>"}, ".prefix_token: a tuned lens cannot change it; leave it to a"),
        (
            {"readout": "logit_lens"},
            '.lens: the readout logit_lens takes none; leave it out, or write "readout: tuned_le',
        ),
        ({"layers": [7]}, ".layers: layer 7 does not exist (the model has layers 0 to 6)"),
        ({"layers": [6]}, ".layers: the last layer needs no lens; add one below 6"),
        ({"path": "a"}, ".path: unknown key; "),
        ({"lens": "text"}, ".lens: 'text' is not of type 'object'; How the lens "),
        ({"lens": {}}, ".lens: `train_on` is missing"),
    ],
)
def test_a_mistake_in_a_tuned_lens_is_one_sentence(changes, expected):
    assert sentence(changed("models/tuned", LENS | changes)).startswith(f"models.tuned{expected}")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"train_on": "nulls"}, ".train_on: 'nulls' is not a dataset of text; name one of text"),
        ({"train_on": "b"}, ".train_on: 'b' is not a dataset of text; name one of text"),
        ({"train_documents": 7}, ".train_documents: 7 is less than the minimum of 8; Last docu"),
        ({"epochs": 0}, ".epochs: 0 is less than the minimum of 1; Times that training passes "),
        ({"epoch": 2}, ".epoch: unknown key; did you mean `epochs`?"),
    ],
)
def test_a_mistake_in_its_training_is_one_sentence(changes, expected):
    config = changed("models/tuned", LENS | {"lens": TRAINING | changes})
    assert sentence(config).startswith(f"models.tuned.lens{expected}")


@pytest.mark.parametrize("value", [value for value in NASTY if value and value != "{x}"])
def test_a_reference_to_what_could_carry_a_command_is_refused(value):
    config = changed("models/b", LENS | {"lens": TRAINING | {"train_on": value}})
    assert sentence(config).startswith(f"models.b.lens.train_on: {value!r} is not ")


def test_a_lens_comes_with_the_readout_and_not_without():
    config = changed("models/tuned", {"like": "a", "readout": "tuned_lens"})
    assert sentence(config).startswith("models.tuned: `lens` is missing (How the lens of the read")
    found = sentence(changed("models/a/lens", TRAINING))
    assert found.startswith("models.a.lens: the readout logit_lens takes none; leave it out, or ")
    child = {"like": "tuned", "lens": TRAINING | {"seed": 7}}
    models = resolve(changed("models", CONFIG["models"] | {"tuned": LENS, "b": child}))["models"]
    assert models["b"]["readout"] == "tuned_lens" and models["b"]["lens"]["seed"] == 7


def test_any_weights_may_be_read_out_through_a_lens():
    """A lens is no other model: an entry with a source may have one, and so may all of a study."""
    config = changed("models/a/readout", "tuned_lens")
    config["models"]["a"]["lens"] = TRAINING
    models = resolve(config)["models"]
    assert list(lenses_of(models)) == ["a", "a-random"]
    assert [models[name]["weights"] for name in models] == ["a", "a-random"]
    config = changed("measurement", {"readout": "tuned_lens", "lens": TRAINING})
    config["models"]["b"] = {"like": "a", "readout": "logit_lens"}
    assert list(lenses_of(resolve(config)["models"])) == ["a", "a-random"]
    config["models"]["b"] = {"like": "a", "context": 700}
    assert list(lenses_of(resolve(config)["models"])) == ["a", "a-random", "b"]


OLD = {"source": "tuned_lens", "like": "a", "train_on": "text", "train_documents": 64}


@pytest.mark.parametrize(
    ("changes", "training"),
    [
        ({}, "{train_on: text, train_documents: 64}"),
        ({"seed": 1}, "{train_on: text, train_documents: 64, seed: 1}"),
        ({"seed": 1, "epochs": 2}, "{train_on: text, train_documents: 64, epochs: 2, seed: 1}"),
        ({"train_on": "a\nb"}, "{train_on: 'a b', train_documents: 64}"),
        ({"train_on": "x" * 300}, f"{{train_on: {'x' * 300}, train_documents: 64}}"),
    ],
)
def test_an_old_lens_is_told_what_to_write(changes, training):
    assert sentence(changed("models/tuned", OLD | changes)) == (
        f"models.tuned.source: a tuned lens is a readout now; write "
        f'"readout: tuned_lens" and "lens: {training}" instead, and leave "source" out'
    )


def test_what_an_old_lens_is_told_is_right():
    training = {"train_on": "text", "train_documents": 64}
    new = {"like": "a", "readout": "tuned_lens", "lens": training}
    assert resolve(changed("models/tuned", new))
