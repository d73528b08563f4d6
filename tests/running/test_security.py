"""Nothing in a configuration, a file name or the environment gets where it should not."""

import copy
import json

import pytest

from tests.running.test_verify import verify
from tests.runs import TINY_STUDY, TOKEN, Place, make_place
from tests.tiny import PREFIX
from workflow_scripts.configuration.study import read_overrides
from workflow_scripts.semstat.errors import InputError

EVIL = "'$(touch pwned)`touch pwned`\"; touch pwned; echo {x} \\ <|end|>"
"""A prefix token; only newlines and their like are refused."""

FOLDER = "inputs/a (tiny), #1 %s ~ *"
TEXT = "\"a\" 'b' $(touch pwned) `touch pwned`; touch pwned.txt"

TARGETS = [f"results/tokens/model=tiny/dataset={name}/shard=0.parquet" for name in ("text", "own")]
"""By all rules that take more of the configuration than names and numbers."""


@pytest.fixture(scope="module")
def evil(tmp_path_factory) -> tuple[Place, str]:
    """A run with a prefix token and with file names that hold commands."""
    place = make_place(tmp_path_factory.mktemp("evil"))
    model = (place.work / "inputs/tiny").rename(place.work / FOLDER)
    for file in model.glob("*.json"):
        content = json.loads(file.read_text(), object_pairs_hook=renamed)
        file.write_text(json.dumps(content))
    (place.work / "inputs/texts/00.txt").rename(place.work / "inputs/texts" / TEXT)
    study = copy.deepcopy(TINY_STUDY)
    study["models"] = {"tiny": study["models"]["tiny"] | {"path": FOLDER, "prefix_token": EVIL}}
    own = {"source": "generated", "of": "text", "tokens_per_document": 20}
    own |= {"documents_per_shard": 4, "sampling_temperature": 1.0}
    study["datasets"] = {"text": study["datasets"]["text"], "own": own}
    run = place.snakemake("--cores=2", *TARGETS, study=study)
    assert run.code == 0, run.text
    return place, run.text


def renamed(pairs):
    """The prefix token of a tokenizer's files under its new name, as key and as value."""
    return {
        EVIL if key == PREFIX else key: EVIL if value == PREFIX else value for key, value in pairs
    }


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_names_and_tokens_that_hold_commands_are_only_names_and_tokens(evil):
    place, _ = evil
    assert not [path for path in files(place.work.parent) if path.name == "pwned"]
    provenance = json.loads((place.work / "results/provenance.json").read_text())
    assert provenance["runs"][0]["config"]["models"]["tiny"]["prefix_token"] == EVIL
    assert (place.work / "inputs/texts" / TEXT).is_file()


def test_they_are_verified_by_name(evil):
    place, _ = evil
    run = verify(place, *TARGETS)
    assert run.code == 0, run.text
    record = place.work / "results/.records/corpora/text.parquet.json"
    assert f"inputs/texts/{TEXT}" in json.loads(record.read_text())["inputs"]
    assert not [path for path in files(place.work.parent) if path.name == "pwned"]


def test_a_token_of_the_hub_is_written_nowhere(finished, evil):
    """Every run of these tests has one in its environment."""
    for place in (finished, evil[0]):
        written = files(place.work)
        folders = {path.relative_to(place.work).parts[0] for path in written}
        assert {"results", "logs", ".snakemake"} <= folders
        assert len(written) > 30
        assert [path for path in written if TOKEN.encode() in path.read_bytes()] == []
        assert TOKEN not in evil[1]


@pytest.mark.parametrize("value", ["$(touch pwned)", "`touch pwned`", 'a"b', "a\\b", "a'b", "a\nb"])
def test_no_override_reaches_a_shell(value):
    """Snakemake passes `--config` on to the jobs of a cluster without quotes."""
    with pytest.raises(InputError, match=r"--config models: .* --configfile$"):
        read_overrides({"models": {"tiny": {"path": value}}})


def test_plain_overrides_may_pass():
    read_overrides({"curves": {"resamples": 50}, "path": "/data/a b,c.txt", "x": -1.5e-3})
