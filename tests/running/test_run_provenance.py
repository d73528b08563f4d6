"""results/provenance.json tells what made the results, and a run with other versions warns once."""

import json

import numpy
import pytest
import torch

from tests.runs import TINY_STUDY
from workflow_scripts.running.run_provenance import code_digest, record_run
from workflow_scripts.semstat.errors import InputError

STUDY = {"models": {"a": {"layers": [0, 1]}}}
WARNING = "made with other library versions than this run has (numpy 1.0, now "


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results/provenance.json"


def runs(path):
    return json.loads(path.read_text())["runs"]


def edit(path, **versions):
    content = json.loads(path.read_text())
    content["runs"][-1]["versions"] |= versions
    path.write_text(json.dumps(content))


def test_a_run_tells_its_configuration_code_and_versions(finished):
    (run,) = runs(finished.work / "results/provenance.json")
    assert set(run) == {"config", "code", "commit", "versions"}
    assert set(run["config"]["models"]) == set(TINY_STUDY["models"])
    assert run["config"]["models"]["tiny-random"]["context"] == 48, "defaults are filled in"
    assert run["code"] == code_digest()
    assert run["versions"]["torch"] == torch.__version__
    assert {"python", "snakemake", "transformers", "numpy", "scipy"} < set(run["versions"])


def test_the_same_again_adds_nothing(path):
    assert record_run(STUDY, path) is None
    before = path.read_bytes()
    assert record_run(STUDY, path) is None
    assert path.read_bytes() == before


def test_another_commit_of_the_same_code_adds_nothing(path):
    record_run(STUDY, path)
    content = json.loads(path.read_text())
    content["runs"][0]["commit"] = "another"
    path.write_text(json.dumps(content))
    assert record_run(STUDY, path) is None
    assert len(runs(path)) == 1


def test_another_configuration_is_added(path):
    record_run(STUDY, path)
    assert record_run(STUDY | {"curves": {}}, path) is None
    assert [run["config"] for run in runs(path)] == [STUDY, STUDY | {"curves": {}}]


def test_other_versions_are_named_once(path):
    record_run(STUDY, path)
    edit(path, numpy="1.0", scipy="1.0")
    warning = record_run(STUDY, path)
    assert f"{path.parent} was {WARNING}{numpy.__version__}, scipy 1.0, now " in warning
    assert "--forceall" in warning
    assert record_run(STUDY, path) is None
    assert record_run(STUDY | {"curves": {}}, path) is None
    assert len(runs(path)) == 3


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"runs": [{}]}', '{"runs": 1}'])
def test_a_damaged_file_is_named(path, content):
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(InputError, match=rf"^{path}: damaged; delete it and run snakemake again"):
        record_run(STUDY, path)


def test_a_run_with_other_versions_warns_once(altered):
    edit(altered.work / "results/provenance.json", numpy="1.0")
    (altered.work / "results/wells.csv").unlink()
    run = altered.snakemake("--cores=1", "results/wells.csv")
    assert run.code == 0 and run.text.count(WARNING) == 1, run.text
