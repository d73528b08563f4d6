"""Model entries that the workflow trains: what is filled in, and what is refused."""

import copy
import datetime

import pytest

from tests.configuration.studies import CONFIG, HUB, LENS, sentence
from workflow_scripts.configuration.study import resolve
from workflow_scripts.training.configuration import objective_options, trained_of

ARCHITECTURE = {
    "model_type": "llama",
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "max_position_embeddings": 2048,
}
TOKENIZER = {"vocabulary": 300, "made_of": "text", "documents": 50}
TRAIN = {"dataset": "text", "documents": 50, "tokens": 100_000}
FRESH = {
    "source": "trained",
    "architecture": ARCHITECTURE,
    "tokenizer": TOKENIZER,
    "train": TRAIN | {"checkpoints": [50_000, 5000]},
}
TUNED = {"source": "trained", "like": "a", "train": TRAIN}
STOPPED = {"source": "checkpoint", "like": "m", "tokens": 5000}


def study(of=FRESH, where="", value=None, models=None, datasets=None, **more):
    """The study of every kind of entry with a trained model `m`, of which one key is set."""
    config = copy.deepcopy(CONFIG | {"models": CONFIG["models"] | {"m": of} | (models or {})})
    config["datasets"] |= datasets or {}
    entry = config["models"]["m"]
    *path, key = where.split("/")
    for part in path:
        entry = entry.setdefault(part, {})
    if value is ...:
        del entry[key]
    elif where:
        entry[key] = value
    return config | more


def test_defaults_are_filled_in():
    found = resolve(study())["models"]["m"]
    assert (found["blocks"], found["prefix_token"], found["weights"]) == (2, "<|endoftext|>", "m")
    assert found["train"] == {
        "dataset": {"text": 1.0}, "documents": 50, "tokens": 100_000, "sequence": 256, "batch": 16,
        "learning_rate": 0.001, "warmup": 0.05, "weight_decay": 0.1, "precision": "float32",
        "log_every": 10, "checkpoints": [5000, 50_000], "seed": 0,
        "objective": {"kind": "cross_entropy"},
    }  # fmt: skip
    assert found["held_out"] == {"text": 100}


def test_what_is_fine_tuned_takes_after_the_model_that_it_starts_from():
    models = resolve(study(TUNED))["models"]
    for key in ("blocks", "prefix_token", "layers"):
        assert models["m"][key] == models["a"][key]
    assert list(trained_of(models)) == ["m"]


def test_an_architecture_of_its_own_takes_the_tokenizer_but_no_blocks():
    of = {key: value for key, value in FRESH.items() if key != "tokenizer"} | {"like": "a"}
    found = resolve(study(of))["models"]["m"]
    assert (found["blocks"], found["prefix_token"]) == (2, "<s>")
    assert sentence(study(of, "architecture/num_hidden_layers", ...)).startswith(
        "models.m.architecture: does not say how many blocks there are; add num_hidden_layers, or "
    )


def test_what_runs_on_trained_weights_inherits_all_but_how_they_were_made():
    models = {
        "reads": {"like": "m", "layers": [1]},
        "early": STOPPED,
        "more": TUNED | {"like": "early"},
        "twin": {"source": "random", "like": "early"},
        "lens": LENS | {"like": "m"},
    }
    found = resolve(study(models=models))["models"]
    for name in models:
        assert (found[name]["blocks"], found[name]["prefix_token"]) == (2, "<|endoftext|>"), name
        assert "architecture" not in found[name] and "tokenizer" not in found[name]
    assert found["reads"]["weights"] == found["lens"]["weights"] == "m"


def test_a_trained_model_may_be_read_out_through_a_lens_of_its_own():
    found = resolve(study(FRESH | {key: LENS[key] for key in ("readout", "lens")}))["models"]["m"]
    assert (found["measured_documents"], found["held_out"]) == (100, {"text": 100})


def test_documents_of_datasets_that_are_not_measured_are_free():
    unmeasured = {"source": "path", "files": "*.md", "measured": False, "shards": 9}
    of = FRESH | {"train": TRAIN | {"dataset": {"more": 1, "text": 3}}}
    found = resolve(study(of, datasets={"more": unmeasured}))["models"]["m"]
    assert found["held_out"] == {"more": 0, "text": 100}


def test_documents_of_a_corpus_are_trained_on_or_measured():
    text = HUB | {"split": "train", "documents": 150, "tokens_per_document": 50}
    assert resolve(study(datasets={"text": text}))
    for key, value in (("train/documents", 51), ("tokenizer/documents", 51)):
        assert sentence(study(FRESH, key, value, datasets={"text": text})) == (
            f"models.m.{key.replace('/', '.')}: 51 beside the 100 that are measured are more than "
            f"the 150 documents of text that are fetched; lower it, or raise "
            f"datasets.text.documents"
        )


@pytest.mark.parametrize(
    ("of", "where", "value", "expected"),
    [
        (FRESH, "train", ..., ": `train` is missing"),
        (FRESH, "tokenizer", ..., ": `tokenizer` is missing (A byte-level BPE"),
        (TUNED, "like", ..., ": `like` is missing"),
        (TUNED, "blocks", 3, ".blocks: 3 are not the 6 of a, whose architecture it takes; leave "),
        (TUNED, "tokenizer", TOKENIZER, ".tokenizer: the weights of a know only its own tokens; l"),
        (FRESH, "blocks", 3, ".blocks: its architecture has 2; write one number, and in one place"),
        (FRESH, "train/steps", 9, ".train.steps: unknown key; known keys: batch, "),
        (FRESH, "train/sequnce", 9, ".train.sequnce: unknown key; did you mean `sequence`?"),
        (FRESH, "train/documents", 0, ".train.documents: 0 is less than the minimum of 1; Last "),
        (FRESH, "train/learning_rate", "1e-3", ".train.learning_rate: '1e-3' is not of type 'num"),
        (FRESH, "train/warmup", 1.1, ".train.warmup: 1.1 is greater than the maximum of 1; Share"),
        (FRESH, "train/seed", 2**63, ".train.seed: 9223372036854775808 is greater than the maxim"),
        (FRESH, "tokenizer/vocabulary", 256, ".tokenizer.vocabulary: 256 is less than the minimu"),
        (FRESH, "tokenizer/made_of", "nulls", ".tokenizer.made_of: 'nulls' is not a dataset of "),
        (FRESH, "prefix_token", "", ".prefix_token: '' should be non-empty; Token put before "),
        (FRESH, "layers", [3], ".layers: layer 3 does not exist (the model has layers 0 to 2)"),
    ],
)
def test_a_mistake_is_one_sentence(of, where, value, expected):
    assert sentence(study(of, where, value)).startswith(f"models.m{expected}")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("model_type", ..., ": `model_type` is missing"),
        ("n_layer", 3, "models.m.blocks: its architecture has 2 and 3; write one number, and in "),
        ("num_hidden_layers", 2.5, ".num_hidden_layers: 2.5 is not of type 'integer'"),
        ("num_hidden_layers", [2], ".num_hidden_layers: [2] is not of type 'integer'"),
        ("num_hidden_layers", 0, ".num_hidden_layers: 0 is less than the minimum of 1"),
        ("n_positions", "many", ".n_positions: 'many' is not of type 'integer'"),
        ("vocab_size", 301, ".vocab_size: 301 is not the 300 of its tokenizer; leave it out"),
        ("initializer_range", float("nan"), ".initializer_range: nan is not of type "),
        ("hidden_act", datetime.date(2020, 1, 1), ".hidden_act: datetime.date(2020, 1, 1) is not"),
        ("rope_parameters", {"type": {3: 1}}, ".rope_parameters.type: 3 is not of type 'string'"),
    ],
)
def test_a_mistake_in_an_architecture_is_one_sentence(key, value, expected):
    found = sentence(study(FRESH, f"architecture/{key}", value))
    assert found.startswith(expected if expected[0] == "m" else f"models.m.architecture{expected}")


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("txt", ": 'txt' is not a dataset of text, nor an ensemble made of one; name one of text,"),
        ("own", ": 'own' is not a dataset of text, nor an ensemble made of one; name one of text,"),
        ({"text": 1, "own": 1}, ": 'own' is not a dataset of text, nor an ensemble made of one; "),
        ({}, ": {} should be non-empty; Dataset to train on, of text or an ensemble"),
        (["text"], ": ['text'] is not of type 'string', 'object'; Dataset to train on"),
        ({"text": 0}, ".text: 0 is less than or equal to the minimum of 0; Share of the windows"),
        ({"text": float("inf")}, ".text: inf is not of type 'number'; Share of the windows"),
        (
            {"text": 1, "nulls": 0.001},
            ".nulls: a share of 0.001 in 1.001 is less than one of the 384 windows; raise it, or ",
        ),
    ],
)
def test_a_mistake_in_what_to_train_on_is_one_sentence(dataset, expected):
    found = sentence(study(FRESH, "train/dataset", dataset))
    assert found.startswith(f"models.m.train.dataset{expected}")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("tokens", 4095, "tokens: 4095 are fewer than those of one update, 16 × 256; raise it"),
        ("tokens", True, "tokens: True is not of type 'integer'"),
        ("checkpoints", [4095], "checkpoints: 4095 tokens are not between one update's 4096 and "),
        ("checkpoints", [100_001], "checkpoints: 100001 tokens are not between one update's 4096"),
        ("checkpoints", [5000, 5000], "checkpoints: [5000, 5000] has non-unique elements"),
        (
            "checkpoints",
            [6000, 5000],
            "checkpoints: 5000 and 6000 tokens end in the same update, of 4096 tokens; leave one ",
        ),
    ],
)
def test_a_mistake_in_how_long_is_one_sentence(key, value, expected):
    assert sentence(study(FRESH, f"train/{key}", value)).startswith(f"models.m.train.{expected}")


BARRIER = {"kind": "energy_barrier", "acts_on": "continuations"}


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ({"strength": 1}, ": `kind` is missing"),
        ({"kind": "enrgy"}, ".kind: 'enrgy' is not one of contrastive, cross_entropy, ditto, en"),
        ({"kind": "cross_entropy", "strength": 1}, ".strength: unknown key; known keys: kind"),
        (BARRIER | {"strength": -1}, ".strength: -1 is less than the minimum of 0; Weight of the"),
        (BARRIER | {"threshold": 2}, ".threshold: 2 is greater than the maximum of 1"),
        (BARRIER | {"width": 0}, ".width: 0 is less than or equal to the minimum of 0; Energy by"),
        (BARRIER | {"prefix": 257}, ".prefix: 257 tokens are more than the 256 of a window; lower"),
        (
            BARRIER | {"prefix": 256, "written": 1793},
            ".written: 2049 tokens are more than the 2048 positions of its architecture; lower it",
        ),
        ({"kind": "ditto", "longest": 129}, ".longest: a window of 256 tokens has no room for a p"),
        ({"kind": "ditto", "shortest": 33}, ".shortest: 33 is above the longest phrase, 32; lowe"),
    ],
)
def test_a_mistake_in_an_objective_is_one_sentence(objective, expected):
    found = sentence(study(FRESH, "train/objective", objective))
    assert found.startswith(f"models.m.train.objective{expected}")


@pytest.mark.parametrize(
    "objective",
    [
        {"kind": "energy_barrier", "strength": 0},
        {"kind": "energy_barrier", "threshold": 2, "in_log_odds": True},
        {"kind": "energy_barrier", "prefix": 257},
        {"kind": "ditto", "longest": 128},
        {"kind": "contrastive", "recent": 1000},
    ],
)
def test_what_an_objective_may_be(objective):
    spec = resolve(study(FRESH, "train/objective", objective))["models"]["m"]
    assert set(objective) - {"kind"} <= set(objective_options(spec))


@pytest.mark.parametrize("name", ["max_position_embeddings", "n_positions"])
def test_more_positions_than_an_architecture_has_are_told_before_it_is_trained(name):
    """GPT-2 calls them otherwise; and energies take as many as training, or more."""
    architecture = {"model_type": "x", "num_hidden_layers": 2, name: 512}
    of = FRESH | {"architecture": architecture, "train": TRAIN}
    about = "are more than the 512 positions of its architecture; lower it"
    found = sentence(study(of, "train/sequence", 513))
    assert found == f"models.m.train.sequence: 513 tokens {about}"
    assert sentence(study(of)) == f"models.m.context: 1024 tokens {about}"
    fits = of | {"context": 512, "stride": 512}
    assert resolve(study(fits))
    reads = {"like": "m", "context": 513, "stride": 512}
    found = sentence(study(fits, models={"reads": reads}))
    assert found == f"models.reads.context: 513 tokens {about}"
    longer = {"more": TUNED | {"like": "m", "train": TRAIN | {"sequence": 1024}}}
    found = sentence(study(fits, models=longer))
    assert found == f"models.more.train.sequence: 1024 tokens {about}"


@pytest.mark.parametrize(
    ("stopped", "expected"),
    [
        ({"like": "a"}, ".like: 'a' is not trained here; name one of m"),
        ({"like": "reads"}, ".like: 'reads' is not trained here; name one of m"),
        ({"tokens": 4096}, ".tokens: 4096 is not among the checkpoints of m (5000, 50000); add "),
        ({"blocks": 3}, ".blocks: 3 are not the 2 of m, whose architecture it takes; leave it out"),
    ],
)
def test_a_mistake_in_a_checkpoint_is_one_sentence(stopped, expected):
    models = {"reads": {"like": "m"}, "early": STOPPED | stopped}
    assert sentence(study(models=models)).startswith(f"models.early{expected}")


@pytest.mark.parametrize("missing", ["like", "tokens"])
def test_a_checkpoint_is_of_a_training_and_a_time(missing):
    early = {key: value for key, value in STOPPED.items() if key != missing}
    assert sentence(study(models={"early": early})) == f"models.early: `{missing}` is missing"


# Datasets that are not measured, and entries of several models.

UNMEASURED = CONFIG["datasets"]["text"] | {"measured": False}
STEERING = {"model": "a", "dataset": "text", "layers": [1], "position": 8}


def test_what_is_not_measured_is_not_asked_for():
    entries = {
        "steering.0.dataset": {"steering": [STEERING]},
        "comparisons.0.0.dataset": {
            "comparisons": [[{"model": "a", "dataset": "text"}, {"model": "a", "dataset": "nulls"}]]
        },
    }
    for key, more in entries.items():
        assert sentence(study(datasets={"text": UNMEASURED}, **more)) == (
            f"{key}: text is not measured, so its documents may be trained on; take another one, "
            f"or leave its `measured` out"
        )
    wrong = CONFIG["datasets"]["text"] | {"measured": "no"}
    assert sentence(study(datasets={"text": wrong})).startswith(
        "datasets.text.measured: 'no' is not of type 'boolean'; Whether energies on it are measured"
    )


def test_something_is_measured():
    none = {name: spec | {"measured": False} for name, spec in CONFIG["datasets"].items()}
    assert sentence(study(datasets=none)) == (
        "datasets: none of them is measured; leave `measured` out of one"
    )


def test_an_entry_of_several_models_is_one_of_each():
    found = resolve(study(steering=[STEERING | {"model": ["a", "m"]}]))["steering"]
    assert [spec["model"] for spec in found] == ["a", "m"]
    assert found[0]["layers"] is not found[1]["layers"]


@pytest.mark.parametrize(
    ("models", "more", "expected"),
    [
        ([], [], ".0.model: [] should be non-empty; Name of one of the models that have trained "),
        (["a", "a"], [], ".0.model: ['a', 'a'] has non-unique elements; Name of one of the model"),
        (["a", "z"], [], ".0.model: 'z' is not one of the models; name one of a, m"),
        (["a", "m"], ["m"], ".1: the same model and dataset as steering.0; remove it, or add its"),
    ],
)
def test_a_mistake_in_an_entry_of_several_models(models, more, expected):
    entries = [STEERING | {"model": model} for model in [models, *more]]
    assert sentence(study(steering=entries)).startswith(f"steering{expected}")
