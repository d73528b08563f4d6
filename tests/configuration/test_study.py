"""The study: defaults, stages in their order, and one string for one meaning."""

import copy
import re

import pytest
import yaml

from tests.configuration.studies import CONFIG, changed
from tests.runs import REPO
from workflow_scripts.configuration.study import resolve, stages
from workflow_scripts.running.code import PACKAGE, code_of


def test_defaults_are_filled_in():
    config = copy.deepcopy(CONFIG)
    study = resolve(config)
    assert config == CONFIG, "the argument is not changed"
    assert study["curves"] == {"resamples": 400, "confidence": 0.95, "seed": 0}
    assert study["models"]["a"] == {
        **CONFIG["models"]["a"], "layers": list(range(7)), "readout": "logit_lens",
        "intervention": "none", "rivals": "last", "weights": "a", "context": 1024, "stride": 512,
        "dtype": "float32", "attention": "auto", "device": "auto",
    }  # fmt: skip
    assert study["datasets"]["text"] == {
        **CONFIG["datasets"]["text"], "text_column": "text", "min_characters": 1,
        "shards": 1, "documents_per_shard": 100, "special_tokens_in_text": False,
        "measured": True,
    }  # fmt: skip
    assert study["datasets"]["nulls"] == {
        **CONFIG["datasets"]["nulls"], "seed": 0, "shards": 1, "documents_per_shard": 100,
        "tokens_per_document": 9, "measured": True,
    }  # fmt: skip
    assert study["datasets"]["again"] == {
        **CONFIG["datasets"]["again"], "prefix_tokens": 32, "unit": 1,
        "repetitions": [1, 2, 4, 8, 16, 32], "shards": 6, "documents_per_shard": 100,
        "tokens_per_document": None, "measured": True,
    }  # fmt: skip
    assert study["datasets"]["own"] == {
        **CONFIG["datasets"]["own"], "seed": 0, "shards": 1, "documents_per_shard": 100,
        "tokens_per_document": 9, "measured": True,
    }  # fmt: skip


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
            assert one[kind][name] == other[kind][name]


@pytest.mark.parametrize("path", sorted({REPO / "config.yaml", *REPO.glob("config/*.yaml")}))
def test_the_configurations_that_ship_are_valid(path):
    study = resolve(yaml.safe_load(path.read_text()))
    assert study["models"] and study["datasets"]


def test_the_examples_of_the_page_on_configuration_are_valid():
    text = (REPO / "config/README.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    # One block goes on with the models of another.
    whole = [block if block[0] != " " else f"models:\n{block}" for block in blocks]
    config: dict = {}
    for block in map(yaml.safe_load, whole):
        for key, value in block.items():
            config[key] = config.get(key, {}) | value if isinstance(value, dict) else value
    study = resolve(config)
    models = study["models"]
    assert len(models) == 12 and len(study["comparisons"]) == 2 and len(study["steering"]) == 1
    answers = {(spec["weights"], spec["readout"]) for spec in models.values()}
    assert answers == {
        ("pythia-160m", "logit_lens"), ("pythia-160m", "tuned_lens"),
        ("pythia-random", "logit_lens"), ("pythia-random-tuned", "tuned_lens"),
        ("pythia-410m", "tuned_lens"), ("small", "logit_lens"),
        ("small-early", "logit_lens"), ("pythia-barrier", "logit_lens"),
    }  # fmt: skip


def test_every_stage_comes_after_those_that_it_names():
    rooms = [stage.__name__.split(".")[-2] for stage in stages()]
    assert set(rooms) == {path.parent.name for path in PACKAGE.glob("*/configuration.py")}
    for room, stage in zip(rooms, stages(), strict=True):
        assert set(stage.AFTER) <= set(rooms[: rooms.index(room)]), room


def test_no_command_depends_on_the_configuration():
    """It is resolved by the Snakefile; a key that is added reruns nothing."""
    commands = [path for path in PACKAGE.glob("*/*.py") if "\n    run(" in path.read_text()]
    for path in commands:
        if path.parent.name not in ("configuration", "semstat"):
            found = code_of(f"{path.parent.name}.{path.stem}")
            assert not [file for file in found if "configuration" in file], path
