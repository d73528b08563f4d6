"""The configuration: what it means, and the sentence that each mistake gets."""

import copy
from pathlib import Path

import pytest
import yaml

from workflow_scripts.configuration.study import canonical, local_files, resolve
from workflow_scripts.semstat.errors import InputError

ROOT = Path(__file__).parents[2]

CONFIG = {
    "models": {
        "a": {"source": "path", "path": "a", "blocks": 6, "prefix_token": "<s>"},
        "a-random": {"source": "random", "like": "a"},
    },
    "datasets": {
        "text": {"source": "path", "files": "*.txt", "tokens_per_document": 9},
        "null": {"source": "ensemble", "of": "text", "ensemble": "uniform"},
        "again": {"source": "ensemble", "of": "text", "ensemble": "repeated"},
        "own": {
            "source": "generated",
            "of": "text",
            "prompt_tokens": 4,
            "sampling_temperature": 0.7,
        },
    },
}
WHEEL = {"source": "pypi", "package": "p", "version": "1.0", "sha256": "0" * 64}
HUB = {"source": "hub", "hub": "owner/name", "revision": "0" * 40}
LENS = {"source": "tuned_lens", "like": "a", "train_on": "text", "train_documents": 8}


def changed(where, value):
    """The configuration with one key set, or removed where the value is `...`."""
    config = copy.deepcopy(CONFIG)
    *path, key = where.split("/")
    entry = config
    for part in path:
        entry = entry.setdefault(part, {})
    if value is ...:
        del entry[key]
    else:
        entry[key] = value
    return config


def model(**entry):
    return {"blocks": 6, "prefix_token": "<s>", **entry}


def sentence(config):
    with pytest.raises(InputError) as raised:
        resolve(config)
    assert "\n" not in str(raised.value)
    return str(raised.value)


UNLIKE_LAYERS = "is not allowed here; Layers to read out: a list, `all`, or `every: k` for 0, k, "
OLD_HUB = HUB | {"revision": "main"}


@pytest.mark.parametrize(
    ("where", "value", "what"),
    [
        ("modles", {}, "unknown key; did you mean `models`?"),
        ("models", {}, "{} should be non-empty; Model name, as it appears in paths and figures, "),
        ("models", None, "None is not of type 'object'; Model name, "),
        ("models/a", None, "None is not of type 'object'; "),
        ("models/a/layerz", [1], "unknown key; did you mean `layers`?"),
        ("models/a/threads", 4, "unknown key; known keys: attention, blocks, context, device, "),
        ("models/a/sha256", "0" * 64, "unknown key; known keys: "),
        ("models/a/source", "s3", "'s3' is not one of pypi, hub, path, random"),
        ("models/a/prefix_token", "", "'' should be non-empty; Token put before every document"),
        ("models/a/prefix_token", "<s>\n", "'<s>\\n' is not allowed; Token put before every docum"),
        ("models/a/prefix_token", "a\0b", "'a\\x00b' is not allowed; Token put before every docu"),
        ("models/a/blocks", 6.0, "6.0 is not of type 'integer'; Number of blocks"),
        ("models/a/blocks", 0, "0 is less than the minimum of 1; Number of blocks"),
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
        ("models/a-random/like", "b", "'b' is not a model with weights; name one of a"),
        ("models/a-random/like", "a-random", "'a-random' is not a model with weights; name one "),
        ("datasets", {}, "{} should be non-empty; Dataset name, "),
        ("datasets/null/of", "null", "'null' is not a dataset of text; name one of text"),
        ("datasets/null/of", "nope", "'nope' is not a dataset of text; name one of text"),
        ("datasets/null/of", "own", "'own' is not a dataset of text; name one of text"),
        ("datasets/own/of", "null", "'null' is not a dataset of text; name one of text"),
        ("datasets/null/ensemble", "unifrom", "'unifrom' is not one of shuffled, uniform"),
        ("datasets/null/unit", 1, "unknown key; known keys: documents_per_shard, ensemble, of, s"),
        ("datasets/again/seed", 1, "unknown key; known keys: documents_per_shard, ensemble, of, p"),
        ("datasets/again/unit", 0, "0 is not allowed here; What is repeated of the text that "),
        ("datasets/again/unit", "word", "'word' is not allowed here; What is repeated of the "),
        ("datasets/again/prefix_tokens", 0, "0 is less than the minimum of 1; Real tokens "),
        ("datasets/again/repetitions", [], "[] is too short; Numbers of copies of the unit, "),
        ("datasets/again/repetitions", [2, 2], "[2, 2] has non-unique elements; Numbers of copies"),
        ("datasets/again/shards", 2, "a repetition has a shard for each of its `repetitions`; "),
        ("datasets/own/ensemble", "uniform", "unknown key; known keys: documents_per_shard, "),
        ("datasets/own/temperature", 1, "unknown key; did you mean `sampling_temperature`?"),
        ("datasets/own/sampling_temperature", -1, "-1 is less than the minimum of 0; Tokens are "),
        ("datasets/own/sampling_temperature", "hot", "'hot' is not of type 'number'; Tokens are "),
        ("datasets/own/sampling_temperature", float("inf"), "inf is not of type 'number'; "),
        ("datasets/own/prompt_tokens", 9, "9 leave none of 9 tokens to write; lower it or raise "),
        ("datasets/null/text_column", "t", "unknown key; known keys: documents_per_shard, "),
        ("datasets/text/shards", "2", "'2' is not of type 'integer'; Shards to measure; "),
        ("datasets/text/shards", 2.0, "2.0 is not of type 'integer'; Shards to measure; "),
        ("datasets/text/shards", True, "True is not of type 'integer'; Shards to measure; "),
        ("datasets/text/shards", 0, "0 is less than the minimum of 1; Shards to measure; "),
        ("curves/resamples", 3, "3 is less than the minimum of 50; Bootstrap "),
        ("curves/confidence", float("nan"), "nan is not of type 'number'; Coverage "),
        ("comparisons", {}, "{} is not of type 'array'; Pairs of ensembles to compare"),
        ("curves/confidence", 1, "1 is greater than or equal to the maximum of 1; Coverage "),
    ],
)
def test_a_mistake_gets_one_sentence_with_file_key_and_remedy(where, value, what):
    key = where.replace("/", ".")
    assert sentence(changed(where, value)).startswith(f"{key}: {what}")


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        ("models", ..., "(top level): `models` is missing"),
        ("models/a/source", ..., "models.a: `source` is missing"),
        ("models/a/prefix_token", ..., "models.a: `prefix_token` is missing"),
        ("models/b", model(**WHEEL), "models.b: `file` is missing"),
        ("models/b", model(**OLD_HUB), "models.b.revision: 'main' is not allowed; Full commit "),
        ("measurement/layers", [7], "models.a.layers: layer 7 does not exist "),
        (
            "datasets/again/repetitions",
            [0, 1],
            "datasets.again.repetitions.0: 0 is less than the mi",
        ),
        ("datasets/own/sampling_temperature", ..., "datasets.own: `sampling_temperature` is miss"),
        (
            "datasets/text/tokens_per_document",
            ...,
            "datasets.own.tokens_per_document: how much to write is not said, neither here nor in "
            "text; add it",
        ),
        ("datasets/h", HUB | {"split": "train"}, "datasets.h: `documents` is missing"),
        (
            "datasets/h",
            HUB | {"split": "train", "documents": 150, "shards": 2},
            "datasets.h.shards: 2 shards of 100 documents need 200, but only 150 are fetched; ",
        ),
    ],
)
def test_a_mistake_in_an_entry_is_put_where_it_can_be_mended(where, value, expected):
    assert sentence(changed(where, value)).startswith(f"{expected}")


def test_an_ensemble_cannot_take_more_documents_than_are_fetched():
    config = changed("datasets/text", HUB | {"split": "train", "documents": 100})
    config["datasets"]["null"]["shards"] = 2
    assert sentence(config).startswith("datasets.null.shards: 2 shards of 100 ")


@pytest.mark.parametrize("config", [None, [], "text", 3])
def test_a_file_that_is_no_mapping_is_refused(config):
    assert sentence(config).startswith("(top level): ")


def comparing(*pairs):
    return changed("comparisons", [list(pair) for pair in pairs])


FINAL = {"model": "a", "dataset": "text"}
FIRST = FINAL | {"layer": 0}


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(FIRST,)], "comparisons.0: [{'model'"),
        ([(FIRST, FINAL, FINAL)], "comparisons.0: [{'model'"),
        ([(FIRST, {"model": "a"})], "comparisons.0.1: `dataset` is missing"),
        (
            [(FIRST, FINAL | {"layers": 3})],
            "comparisons.0.1.layers: unknown key; did you mean `lay",
        ),
        ([(FIRST, FINAL | {"layer": 1.0})], "comparisons.0.1.layer: 1.0 is not allowed here; One "),
        (
            [(FIRST, FINAL | {"layer": "last"})],
            "comparisons.0.1.layer: 'last' is not allowed here; ",
        ),
        (
            [(FIRST, FINAL | {"model": "b"})],
            "comparisons.0.1.model: 'b' is not one of the models; ",
        ),
        (
            [(FIRST, FINAL | {"dataset": "b"})],
            "comparisons.0.1.dataset: 'b' is not one of the data",
        ),
        (
            [(FIRST, FINAL | {"layer": 7})],
            "comparisons.0.1.layer: layer 7 of a is not measured; add ",
        ),
        (
            [(FINAL, FINAL | {"layer": 6})],
            "comparisons.0: compares an ensemble with itself; change ",
        ),
        (
            [(FIRST, FINAL), (FIRST, FINAL | {"layer": 6})],
            "comparisons.1: the same as comparisons.0; remove it",
        ),
    ],
)
def test_a_mistaken_comparison_gets_one_sentence(pairs, expected):
    assert sentence(comparing(*pairs)).startswith(expected)


def test_the_layer_of_a_comparison_becomes_a_number():
    study = resolve(comparing((FIRST, FINAL), (FINAL, FIRST)))
    last = FINAL | {"layer": 6}
    assert study["comparisons"] == [[FIRST, last], [last, FIRST]]
    assert resolve(CONFIG)["comparisons"] == []


NASTY = ["a b", "a'b", 'a"b', "$(id)", "`id`", "a;b", "a|b", "a\n", "\na", "a\0b", "", "--a", "{x}"]


@pytest.mark.parametrize(
    "name", [*NASTY, "../a", "..", ".a", "a/b", "a\\b", "é", "a" * 101, 1, True]
)
@pytest.mark.parametrize("kind", ["models", "datasets"])
def test_a_name_that_is_not_fit_for_a_path_is_refused(kind, name):
    entry = CONFIG[kind]["a" if kind == "models" else "text"]
    config = copy.deepcopy(CONFIG)
    config[kind][name] = entry
    found = sentence(config)
    assert found.startswith(f"{kind}: ")
    assert "Letters, digits, dot, hyphen and underscore" in found


@pytest.mark.parametrize("value", [*NASTY, "../a"])
@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (WHEEL | {"file": "f"}, "package"),
        (WHEEL | {"file": "f"}, "version"),
        (WHEEL | {"file": "f"}, "sha256"),
        (HUB, "hub"),
        (HUB, "revision"),
    ],
)
def test_what_could_carry_a_command_is_refused(entry, key, value):
    config = changed("models/b", model(**entry | {key: value}))
    assert sentence(config).startswith(f"models.b.{key}: {value!r} is not allowed; ")


@pytest.mark.parametrize("value", [*sorted(set(NASTY) - {"a b", "--a"}), "a&b", "a>b", "a\\b"])
@pytest.mark.parametrize("where", ["models/a/path", "datasets/text/files"])
def test_a_file_name_that_could_carry_a_command_is_refused(where, value):
    found = sentence(changed(where, value))
    assert found.startswith(f"{where.replace('/', '.')}: {value!r} is not allowed; ")


@pytest.mark.parametrize("value", [value for value in NASTY if value and value != "{x}"])
def test_a_reference_to_what_could_carry_a_command_is_refused(value):
    lens = {"models/b": LENS, "datasets/b": CONFIG["datasets"]["null"]}
    for where, key in [("models/b", "like"), ("models/b", "train_on"), ("datasets/b", "of")]:
        config = changed(where, lens[where] | {key: value})
        assert sentence(config).startswith(f"{where.replace('/', '.')}.{key}: {value!r} is not ")
    for key in ("model", "dataset"):
        config = comparing((FIRST, FINAL | {key: value}))
        assert sentence(config).startswith(f"comparisons.0.1.{key}: {value!r} is not one of the ")
    for key in ("dtype", "attention", "device", "readout"):
        config = changed(f"models/a/{key}", value)
        assert sentence(config).startswith(f"models.a.{key}: {value!r} is not one of ")


def test_defaults_are_filled_in():
    config = copy.deepcopy(CONFIG)
    study = resolve(config)
    assert config == CONFIG, "the argument is not changed"
    assert study["curves"] == {"resamples": 400, "confidence": 0.95, "seed": 0}
    assert study["models"]["a"] == {
        **CONFIG["models"]["a"], "layers": list(range(7)), "readout": "logit_lens",
        "context": 1024, "stride": 512, "dtype": "float32", "attention": "auto", "device": "auto",
    }  # fmt: skip
    assert study["datasets"]["text"] == {
        **CONFIG["datasets"]["text"], "text_column": "text", "min_characters": 1,
        "shards": 1, "documents_per_shard": 100,
    }  # fmt: skip
    assert study["datasets"]["null"] == {
        **CONFIG["datasets"]["null"], "seed": 0, "shards": 1, "documents_per_shard": 100,
        "tokens_per_document": 9,
    }  # fmt: skip
    assert study["datasets"]["again"] == {
        **CONFIG["datasets"]["again"], "prefix_tokens": 32, "unit": 1,
        "repetitions": [1, 2, 4, 8, 16, 32], "shards": 6, "documents_per_shard": 100,
        "tokens_per_document": None,
    }  # fmt: skip
    assert study["datasets"]["own"] == {
        **CONFIG["datasets"]["own"], "seed": 0, "shards": 1, "documents_per_shard": 100,
        "tokens_per_document": 9,
    }  # fmt: skip


def test_a_repetition_has_a_shard_for_each_number_of_copies():
    study = resolve(changed("datasets/again/repetitions", [8, 1, 3]))
    assert study["datasets"]["again"]["repetitions"] == [1, 3, 8]
    assert study["datasets"]["again"]["shards"] == 3


def test_an_ensemble_without_a_limit_has_none():
    config = changed("datasets/text/tokens_per_document", ...)
    del config["datasets"]["own"]
    assert resolve(config)["datasets"]["null"]["tokens_per_document"] is None


def test_a_model_overrides_the_measurement():
    config = changed("measurement", {"context": 64, "stride": 64, "layers": [2]})
    config["models"]["a"] |= {"context": 128, "layers": [0]}
    study = resolve(config)["models"]["a"]
    assert (study["context"], study["stride"], study["layers"]) == (128, 64, [0])


def test_a_random_model_inherits_all_but_the_source():
    config = changed("models/a/layers", [6, 0])
    config["models"]["a"] |= {"dtype": "bfloat16", "context": 512}
    config["models"]["a-random"]["context"] = 600
    found = resolve(config)["models"]
    assert found["a-random"]["context"] == 600
    assert "path" not in found["a-random"]
    same = {"blocks", "prefix_token", "layers", "dtype", "stride"}
    assert {key: found["a-random"][key] for key in same} == {key: found["a"][key] for key in same}
    assert (found["a-random"]["source"], found["a-random"]["seed"]) == ("random", 0)


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
        "source": "tuned_lens", "readout": "tuned_lens", "like": like, "train_on": "text",
        "train_documents": 8, "epochs": 1, "seed": 0, "stride": 100, "measured_documents": 100,
    }  # fmt: skip


def test_a_tuned_lens_knows_what_is_measured():
    config = changed("models/tuned", LENS)
    for dataset in config["datasets"].values():
        dataset["documents_per_shard"] = 7  # a repetition has the same ones in each shard
    config["datasets"]["text"] |= {"shards": 3, "documents_per_shard": 10}
    config["datasets"]["null"]["shards"] = 2
    config["datasets"]["more"] = {"source": "path", "files": "*.md", "shards": 9}
    assert resolve(config)["models"]["tuned"]["measured_documents"] == 30
    config["datasets"]["null"]["shards"] = 5
    assert resolve(config)["models"]["tuned"]["measured_documents"] == 35


def test_a_tuned_lens_needs_documents_that_are_not_measured():
    text = {"split": "train", "documents": 107, "tokens_per_document": 50}
    config = changed("datasets/text", HUB | text)
    config["models"]["tuned"] = LENS
    assert sentence(config).startswith(
        "models.tuned.train_documents: 8 beside the 100 that are measured are more than the 107 "
    )
    config["datasets"]["text"]["documents"] = 108
    assert resolve(config)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"like": "b"}, ".like: 'b' is not a model to read out; name one of a, a-random"),
        ({"like": "tuned"}, ".like: 'tuned' is not a model to read out; name one of a, a-random"),
        ({"train_on": "null"}, ".train_on: 'null' is not a dataset of text; name one of text"),
        ({"train_on": "b"}, ".train_on: 'b' is not a dataset of text; name one of text"),
        ({"train_documents": 7}, ".train_documents: 7 is less than the minimum of 8; Last docu"),
        ({"epochs": 0}, ".epochs: 0 is less than the minimum of 1; Times that training passes "),
        ({"blocks": 6}, ".blocks: a tuned lens cannot change it; leave it to a"),
        ({"readout": "logit_lens"}, ".readout: a tuned lens cannot change it; leave it to a"),
        ({"layers": [7]}, ".layers: layer 7 does not exist (the model has layers 0 to 6)"),
        ({"layers": [6]}, ".layers: the last layer needs no lens; add one below 6"),
        ({"path": "a"}, ".path: unknown key; "),
    ],
)
def test_a_mistake_in_a_tuned_lens_is_one_sentence(changes, expected):
    assert sentence(changed("models/tuned", LENS | changes)).startswith(f"models.tuned{expected}")


def test_a_random_model_is_not_like_a_tuned_lens():
    config = changed("models/tuned", LENS)
    config["models"]["a-random"]["like"] = "tuned"
    assert "'tuned' is not a model with weights; name one of a" in sentence(config)


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


def test_the_order_of_keys_does_not_matter():
    def backwards(value):
        if isinstance(value, dict):
            return {key: backwards(value[key]) for key in reversed(value)}
        return value

    config = changed("models/a/layers", {"every": 2})
    one, other = resolve(config), resolve(backwards(config))
    assert list(one["models"]) != list(other["models"])
    for kind in ("models", "datasets"):
        for name in one[kind]:
            assert canonical(one[kind][name]) == canonical(other[kind][name])
    assert canonical({"a": 1}) != canonical({"a": 2})


@pytest.mark.parametrize("path", sorted({ROOT / "config.yaml", *ROOT.glob("config/*.yaml")}))
def test_the_configurations_that_ship_are_valid(path):
    study = resolve(yaml.safe_load(path.read_text()))
    assert study["models"] and study["datasets"]


def test_local_files_are_listed_or_missed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["b.txt", "a.txt", "a/config.json", "a/model.safetensors"]:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    study = resolve(CONFIG)
    assert local_files("datasets", "text", study["datasets"]["text"]) == ["a.txt", "b.txt"]
    found = local_files("models", "a", study["models"]["a"])
    assert found == ["a/config.json", "a/model.safetensors"]
    assert local_files("models", "a-random", study["models"]["a-random"]) == []
    Path("a/model.safetensors").unlink()
    expected = (
        r"^models\.a\.path: no file a/config.json and a/\*.safetensors \(looked in .*\); corr"
    )
    with pytest.raises(InputError, match=expected):
        local_files("models", "a", study["models"]["a"])
    missing = {"source": "path", "files": "c/*.txt"}
    with pytest.raises(InputError, match=r"^datasets\.text\.files: no file c/\*\.txt \(looked in "):
        local_files("datasets", "text", missing)


@pytest.mark.parametrize("name", ["a{x}.txt", "a\nb.txt", "a\x1bb.txt"])
def test_a_file_that_snakemake_would_not_take_as_it_is_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path(name).touch()
    spec = {"source": "path", "files": "*.txt"}
    with pytest.raises(InputError, match=r"^datasets\.text\.files: 'a.*\.txt' holds braces or co"):
        local_files("datasets", "text", spec)


STEERING = {"model": "a", "dataset": "text", "layers": [4, 2], "decoding": {"layer": 6}}
SHORT = {"position": 8, "decoding": {"layer": 6, "prompt_tokens": 9}}


def steering(*entries):
    return changed("steering", [STEERING | SHORT | entry for entry in entries])


def test_what_is_steered_is_filled_in():
    assert resolve(CONFIG)["steering"] == []
    (spec,) = resolve(steering({}))["steering"]
    assert spec["layers"] == [2, 4] and spec["effects"] == sorted(spec["effects"])
    assert spec["decoding"]["ngram"] == 4 and spec["seed"] == 0


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"model": "a-random"}, ".model: 'a-random' has random weights, so there is nothing to "),
        ({"model": "b"}, ".model: 'b' is not one of the models; name one of a"),
        ({"dataset": "null"}, ".dataset: 'null' is not a dataset of text; name one of text"),
        ({"layers": [7]}, ".layers: layer 7 does not exist (the model has layers 0 to 6)"),
        ({"decoding": {"layer": 7}}, ".decoding.layer: layer 7 does not exist (the model has "),
        ({"decoding": {}}, ".decoding: `layer` is missing"),
        ({"decoding": {"layer": 6, "ngram": 1}}, ".decoding.ngram: 1 is less than the minimum of"),
        ({"decoding": {"layr": 6, "layer": 6}}, ".decoding.layr: unknown key; did you mean `laye"),
        ({"effects": [0.0]}, ".effects.0: 0.0 is less than or equal to the minimum of 0; "),
        ({"quantities": ["H"]}, ".quantities.0: 'H' is not one of correct, last, entropy"),
        ({"documents": 101}, ".documents: 101 is more than the 100 that text allows; lower it, or"),
        ({"position": 9}, ".position: 9 is more than the 8 that text allows; lower it, or raise "),
        ({"decoding": {"layer": 6}}, ".decoding.prompt_tokens: 32 is more than the 9 that text "),
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
