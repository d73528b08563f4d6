"""Results that outlive their configuration, or are gone: named, and moved away on demand."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.runs import TINY_STUDY, announced, changed, command, complaint, said
from workflow_scripts.configuration.study import resolve
from workflow_scripts.running import run_lock
from workflow_scripts.running.outlived import ASIDE, Results, set_aside, warnings

STUDY = {
    "models": {"a": {"layers": [0, 10]}, "v1.5": {"layers": [2]}},
    "datasets": {"text": {"shards": 2}, "text.csv": {"shards": 1}},
    "steering": [{"model": "a", "dataset": "text"}],
    "decoding": [{"model": "a", "dataset": "text.csv"}],
}

ASKED = [
    "energies/model=a/dataset=text/layer=10/shard=1.parquet",
    "energies/model=v1.5/dataset=text.csv/layer=2/shard=0.parquet",
    "curves/model=a/dataset=text/layer=0.parquet",
    "wells/model=v1.5/dataset=text.csv.parquet",
    "figures/layer_map/model=a/dataset=text.csv.svg",
    "figures/across_models/dataset=text/entropy.pdf",
    "distances/model_a=a/dataset_a=text/layer_a=0/model_b=v1.5/dataset_b=text/layer_b=2.parquet",
    "steering/effects/model=a/dataset=text.parquet",
    "decoding/texts/model=a/dataset=text.csv.csv",
    "models/old/config.json",  # no partition, so that no tree has it among others
    "wells.csv",
    ".records/energies/model=a/dataset=text/layer=0/shard=1.parquet.json",
    ".records/wells/model=v1.5/dataset=text.csv.parquet.json",
]

NOT_ASKED = [
    "energies/model=a/dataset=text/layer=1|shard=0.parquet",
    "energies/model=a/dataset=text/layer=10/shard=2.parquet|",
    "energies/model=old|dataset=text/layer=0/shard=0.parquet",
    "energies/model=v1.5/dataset=text.csv/layer=10|shard=0.parquet",
    "curves/model=a/dataset=text/layer=2.parquet|",
    "curves/model=a/dataset=text/layer=00.parquet|",
    "wells/model=v1.5/dataset=text.v2.parquet|",
    "figures/across_models/dataset=old|entropy.svg",
    "distances/model_a=a/dataset_a=text/layer_a=0/model_b=v1.5/dataset_b=text/layer_b=0.parquet|",
    "steering/effects/model=v1.5/dataset=text.parquet|",
    "decoding/decodings/model=a/dataset=text|condition=greedy.parquet",
    "figures/decoding/model=a/dataset=text|decodings.pdf",
    ".records/energies/model=a/dataset=text/layer=1|shard=0.parquet.json",
    ".records/wells/model=v1.5/dataset=old.parquet.json|",
]
"""After the sign what lies in the folder that is not asked for."""


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Files that STUDY asks for, and such as it does not."""
    monkeypatch.chdir(tmp_path)
    for name in [*ASKED, *NOT_ASKED]:
        path = Path("results", name.replace("|", "/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "results"


def test_what_the_configuration_does_not_have(results):
    found = Results(STUDY)
    assert set(found.outlived) == {f"results/{name.partition('|')[0]}" for name in NOT_ASKED}
    assert found.files == {f"results/{name}" for name in ASKED}


def test_where_there_is_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list(warnings(STUDY, [])) == []


def test_what_is_set_aside_can_be_moved_back(results):
    before = {path: path.read_text() for path in results.rglob("*") if path.is_file()}
    outlived = Results(STUDY).outlived
    set_aside(outlived, ASIDE / "now")
    assert Results(STUDY).outlived == []
    assert not (results / "energies/model=a/dataset=text/layer=1").exists()
    assert not (results / "figures/decoding").exists(), "an empty folder is left behind"
    shutil.copytree(ASIDE / "now", results, dirs_exist_ok=True)
    shutil.rmtree(ASIDE)
    assert {path: path.read_text() for path in results.rglob("*") if path.is_file()} == before


def record(of, *inputs, but=()):
    path = Path("results/.records", f"{of}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    outputs = [f"results/{of}", *but]
    content = {"inputs": dict.fromkeys(inputs, "0"), "outputs": dict.fromkeys(outputs, (1, "0"))}
    path.write_text(json.dumps(content))


def test_results_that_others_were_made_of_or_with_and_that_are_gone(results):
    gone = "results/energies/model=a/dataset=text/layer=0/shard=0.parquet"
    twin = "results/models/old/model.safetensors"
    record("wells.csv", gone, f"results/{ASKED[0]}", "inputs/a.txt", "results/energies/model=old/f")
    record("curves/model=a/dataset=text/layer=10.parquet", gone.replace("shard=0", "shard=1"))
    record("models/old/config.json", but=[twin])
    Path("results/.records/damaged.json").write_text("[")
    assert Results(STUDY).gone() == [gone, twin], "what is gone itself misses nothing"
    sentences = list(warnings(STUDY, ["-n", "--configfile", "a b.yaml"]))
    assert sentences[0].endswith("python -m workflow_scripts.set_aside --configfile 'a b.yaml'")
    assert sentences[1].endswith(f"name it: snakemake --cores all -- {gone}")


# By the real command line.

LESS = changed("measurement/layers", [0, 1])
LESS["datasets"]["text"]["shards"] = 1
del LESS["datasets"]["text-uniform"]


def run(name, place, *arguments):
    line = [sys.executable, "-m", f"workflow_scripts.{name}", "--configfile=less.yaml", *arguments]
    return said(line, place.work, {"PYTHONPATH": str(place.clone)})


def states(place):
    """What the README has one read: states by model, dataset and layer."""
    energies = pd.read_parquet(place.work / "results/energies")
    return energies.groupby(["model", "dataset", "layer"], observed=True).size()


def test_layers_shards_and_datasets_that_are_no_more(altered):
    """They are named at the start and by `verify`, and moved away by one command."""
    (altered.work / "less.yaml").write_text(yaml.safe_dump(LESS))
    told = altered.snakemake("--dry-run", study=LESS)
    assert "results/ holds what this configuration does not have" in told.text
    assert " -m workflow_scripts.set_aside " in told.text
    verified = run("verify", altered)
    assert verified.code == 1, verified.text
    layer = "results/energies/model=tiny/dataset=text/layer=3"
    assert f"outlived   {layer}: the configuration does not have" in verified.text
    assert verified.text.count("\noutlived ") == 37
    before = states(altered)
    assert len(before) == 18

    looked = run("set_aside", altered, "-n")
    assert looked.code == 0 and f"would have moved {layer}\n" in looked.text, looked.text
    run_lock.hold(altered.work)
    complaint(run("set_aside", altered), f"{altered.work}: a run is alive here")
    run_lock._held.pop().close()
    assert states(altered).equals(before)

    moved = run("set_aside", altered)
    assert moved.code == 0 and f"set_aside: moved {layer}\n" in moved.text, moved.text
    study = resolve(LESS)
    assert set(states(altered).index) == {
        (model, dataset, layer)
        for model, spec in study["models"].items()
        for dataset in study["datasets"]
        for layer in spec["layers"]
    }
    assert "outlived" not in run("verify", altered).text
    assert "results/ holds" not in altered.snakemake("--dry-run", study=LESS).text

    (folder,) = (altered.work / ASIDE).iterdir()
    shutil.copytree(folder, altered.work / "results", dirs_exist_ok=True)
    (altered.work / "less.yaml").write_text(yaml.safe_dump(TINY_STUDY))
    assert states(altered).equals(before)
    assert run("verify", altered).code == 0


def test_a_folder_without_results(pristine, tmp_path):
    refused = command("set_aside", "--directory", tmp_path / "no", cwd=pristine.work)
    complaint(refused, f"{tmp_path / 'no'}: there is no results/ here; give the --directory")
    assert not (tmp_path / "no").exists()


def test_a_run_that_did_not_tidy_up_is_recovered_first(altered):
    (altered.work / "less.yaml").write_text(yaml.safe_dump(LESS))
    lock = altered.work / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text("results/wells.csv\n")
    complaint(run("set_aside", altered), "a run ended without tidying up; first run `python -m")


def test_an_intermediate_result_that_was_deleted(altered):
    """Snakemake has nothing to do; it is named all the same, and can be made by name."""
    energies = "results/energies/model=tiny/dataset=text/layer=0/shard=0.parquet"
    (altered.work / energies).unlink()
    told = altered.snakemake("--dry-run")
    assert "Nothing to be done" in told.text
    assert f"Results are gone that others were made of, or with: {energies}. " in told.text
    again = altered.snakemake("--dry-run", "--", energies)
    assert announced(again.text) == {"Measuring energies of tiny on text, shard 0"}


# Told before the first job.


def test_a_target_behind_the_configuration_file(pristine):
    """Snakemake would take it for another configuration file, and end in a traceback."""
    for name in ("mechanics", "results/wells.csv", "inputs"):
        told = pristine.snakemake("--configfile", "study.yaml", name)
        assert told.code == 1 and "Traceback" not in told.text
        assert f"error: --configfile: {name} is no configuration file; a target goes " in told.text
    told = pristine.snakemake("--configfile=nope.yaml")
    assert told.code == 1 and "error: --configfile: nope.yaml is no configuration file" in told.text
    told = command("verify", "--configfile", "study.yaml", "mechanics", cwd=pristine.work)
    complaint(told, "mechanics is no configuration file; a target goes before this option")


def test_a_value_of_the_command_line(altered):
    told = altered.snakemake("--dry-run", "--config", "curves={resamples: 60}")
    assert told.code == 0, told.text
    jobs = announced(told.text)
    assert jobs and all(job.startswith(("Estimating", "Draw", "Tabul")) for job in jobs), jobs


def test_a_gpu_that_is_not_there(altered):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is one")
    study = changed("measurement/device", "cuda")
    energies = "results/energies/model=tiny/dataset=text/layer=0/shard=0.parquet"
    told = altered.snakemake("--cores=2", "--forcerun", energies, "--", energies, study=study)
    assert told.code == 1 and "Traceback" not in told.text
    assert "its device is cuda, and torch finds no GPU on this machine; set `device" in told.text
    assert "Error in rule" not in told.text
    assert altered.snakemake("--cores=2", study=study).code == 0, "no job needs it"
