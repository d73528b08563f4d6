"""Models trained by the workflow: what is made, and what an edit trains anew."""

import copy
import json
import sys

import pyarrow.parquet as pq
import pytest

from tests.runs import DOCUMENTS, TINY_STUDY, said
from tests.tiny import BLOCKS, PREFIX
from tests.training.fitted import LLAMA

TRAIN = {"dataset": "text", "documents": 4, "tokens": 256, "sequence": 16, "batch": 2}
MODELS = {
    "small": {
        "source": "trained",
        "architecture": LLAMA | {"num_hidden_layers": BLOCKS},
        "tokenizer": {"vocabulary": 260, "made_of": "text", "documents": 4},
        "train": TRAIN | {"checkpoints": [128]},
    },
    "early": {"source": "checkpoint", "like": "small", "tokens": 128},
    "barrier": {
        "source": "trained",
        "like": "tiny",
        "train": TRAIN | {
            "dataset": {"text": 1, "text-injected": 1},
            "objective": {"kind": "energy_barrier", "strength": 2},
        },
    },
}  # fmt: skip
INJECTED = {"source": "ensemble", "of": "text", "ensemble": "injected", "rate": 0.2, "unit": 3,
            "documents_per_shard": 4, "measured": False}  # fmt: skip
WELLS = "results/wells/model=small/dataset=text.parquet"
TARGETS = ["training", "results/models/early/SHA256SUMS", WELLS]


@pytest.fixture(scope="module")
def study():
    """The tiny study with models to train, and one shard of text less: 4 documents are measured."""
    study = copy.deepcopy(TINY_STUDY)
    study["models"] |= MODELS
    text = study["datasets"]["text"] | {"shards": 1}
    study["datasets"] = {"text": text, "text-injected": INJECTED}
    return study


@pytest.fixture(scope="module")
def trained(pristine, study, tmp_path_factory):
    """The models trained, and one of them measured."""
    place = pristine.copy(tmp_path_factory.mktemp("trained"))
    jobs = place.run(*TARGETS, study=study)
    assert starting(jobs, "Training") == {"Training small", "Training barrier"}
    return place


def starting(jobs, *words):
    return {job for job in jobs if job.startswith(words)}


TO_TRAIN = ("Training", "Drawing what", "Taking")


def to_train(place, study, *targets):
    """What would be run anew of trainings."""
    jobs = place.would_run(*targets, study=study)
    return starting(jobs, *TO_TRAIN) | {job for job in jobs if " to train " in job}


def test_a_model_that_is_trained_is_one_like_any_other(trained):
    results = trained.work / "results"
    found = {
        name: json.loads((results / f"models/{name}/provenance.json").read_text())
        for name in MODELS
    }
    assert {name: each["source"]["source"] for name, each in found.items()} == {
        "small": "trained", "early": "checkpoint", "barrier": "trained",
    }  # fmt: skip
    assert found["barrier"]["train"]["objective"]["strength"] == 2
    first = {on["first_document"] for each in found.values() for on in each["trained_on"]}
    assert first == {DOCUMENTS - 4}
    energies = results / "energies/model=small/dataset=text/layer=3/shard=0.parquet"
    assert len(pq.ParquetFile(energies).read()) > 4
    assert len(pq.ParquetFile(results / "training/logs/barrier.parquet").read()) == 2
    tokens = results / "training/tokens/model=barrier/dataset=text-injected/part=0.parquet"
    assert pq.ParquetFile(tokens).read()["doc"].to_pylist() == list(range(DOCUMENTS - 4, DOCUMENTS))
    assert not list(results.glob("training/unfinished/*"))
    assert not list(results.glob("*/model=*/dataset=text-injected"))


def test_what_was_made_is_verified(trained):
    command = [sys.executable, "-m", "workflow_scripts.verify", *TARGETS, "--configfile=study.yaml"]
    run = said([*command, "--deep"], trained.work, {"PYTHONPATH": str(trained.clone)})
    assert run.code == 0, run.text


def test_measuring_more_trains_nothing(trained, study):
    study = copy.deepcopy(study)
    study["datasets"]["text"]["shards"] = 2
    study["datasets"]["other"] = TINY_STUDY["datasets"]["text-uniform"] | {"seed": 1}
    jobs = trained.would_run(study=study)
    assert "Measuring energies of small on text, shard 1" in jobs
    assert "Measuring energies of barrier on other, shard 0" in jobs
    assert "Measuring energies of early on other, shard 0" in jobs
    assert not starting(jobs, *TO_TRAIN) and not any(" to train " in job for job in jobs)
    assert not any("text-injected" in job for job in jobs)


def test_a_model_that_is_added_is_trained_alone(trained, study):
    study = copy.deepcopy(study)
    study["models"]["again"] = MODELS["small"] | {"train": TRAIN | {"seed": 1}}
    assert to_train(trained, study, "training") == {
        "Drawing what again starts from", "Tokenizing text to train again", "Training again",
    }  # fmt: skip


def test_another_strength_trains_that_model_alone(trained, study):
    study = copy.deepcopy(study)
    study["models"]["barrier"]["train"]["objective"]["strength"] = 3
    assert to_train(trained, study, "training") == {"Training barrier"}


def test_a_checkpoint_that_is_asked_for_trains_anew(trained, study):
    study = copy.deepcopy(study)
    study["models"]["small"]["train"]["checkpoints"] = [64, 128]
    assert "Training small" in to_train(trained, study, "training")
    study["models"]["earlier"] = MODELS["early"] | {"tokens": 64}
    assert to_train(trained, study, *TARGETS, "results/models/earlier/SHA256SUMS") == {
        "Training small", "Taking early from the training of small",
        "Taking earlier from the training of small",
    }  # fmt: skip


def test_an_edit_of_an_estimator_trains_nothing(trained, study, tmp_path):
    place = trained.copy(tmp_path)
    path = place.clone / "workflow_scripts/semstat/training/ditto.py"
    path.write_text(path.read_text() + "\n\nEDITED = True\n")
    assert to_train(place, study, "training") == set()


def test_a_prefix_token_goes_with_the_weights(trained):
    for model in ("small", "barrier"):
        path = trained.work / f"results/training/tokens/model={model}/dataset=text/part=0.parquet"
        found = json.loads(pq.ParquetFile(path).schema_arrow.metadata[b"semantic-statistics"])
        assert found["prefix_token"] == PREFIX


def test_a_gpu_that_is_too_small_to_train_is_warned_of(altered, study):
    profile = altered.clone / "profiles" / "slurm" / "config.yaml"
    profile.write_text(profile.read_text().replace("gpu_memory: 40000", "gpu_memory: 1000"))
    log = "results/training/logs/barrier.parquet"
    said = altered.snakemake(f"--profile={profile.parent}", "--dry-run", log, study=study)
    assert said.code == 0, said.text
    assert said.text.count("tiny needs a GPU of 1501 MB to be trained") == 1
    assert "dtype" not in said.text
