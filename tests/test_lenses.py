"""A tuned lens through the real command line: trained, applied, compared, and only when needed."""

import copy
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

from tests.runs import DOCUMENTS, TINY_STUDY, command, complaint
from tests.tiny import BLOCKS, PREFIX
from workflow_scripts.semstat.tables import TOKENS, write_table

LENS = {"source": "tuned_lens", "like": "tiny", "train_on": "text", "train_documents": 8}
ENERGIES = "results/energies/model={}/dataset=text-shuffled/layer={}/shard=0.parquet"
WELLS = "results/wells/model=tuned/dataset=text-shuffled.parquet"


@pytest.fixture(scope="module")
def study():
    """The tiny study with a lens, and one shard of text less: 4 of 12 documents are measured."""
    study = copy.deepcopy(TINY_STUDY)
    study["models"]["tuned"] = LENS
    study["datasets"]["text"]["shards"] = 1
    return study


@pytest.fixture(scope="module")
def tuned(finished, study, tmp_path_factory):
    """The finished run with the wells of one dataset as a tuned lens shows them."""
    place = finished.copy(tmp_path_factory.mktemp("tuned"))
    place.run(WELLS, study=study)
    return place


def read(path):
    return pq.ParquetFile(path).read()


def provenance(path):
    return json.loads(pq.ParquetFile(path).schema_arrow.metadata[b"semantic-statistics"])


def test_it_is_trained_once_and_measured_beside_the_logit_lens(finished, study, tuned):
    planned = tuned.would_run()
    assert not any("lens" in job and job.startswith(("Training", "Tokenizing")) for job in planned)
    assert "Drawing curves across models on text-shuffled" in planned
    assert not any(job.startswith("Fetching") for job in planned), "it has weights of its own"
    assert not (tuned.work / "results/models/tuned").exists()
    other = copy.deepcopy(study)
    other["models"]["tuned"] = LENS | {"seed": 1}
    assert "Training the lens tuned" in tuned.would_run(study=other)
    assert tuned.would_run(study=study) == planned


def test_energies_differ_below_the_last_layer_only(tuned):
    for layer in TINY_STUDY["measurement"]["layers"]:
        paths = [tuned.work / ENERGIES.format(model, layer) for model in ("tiny", "tuned")]
        plain, through = (read(path) for path in paths)
        for name in ("doc", "position", "last", "correct", "norm", "speed"):
            assert plain[name].equals(through[name])
        assert plain["energy"].equals(through["energy"]) == (layer == BLOCKS)
        found = provenance(paths[1])
        assert (found["model"]["model"], found["readout"]) == ("tuned", "tuned_lens")
        assert found["model"]["source"] == provenance(paths[0])["model"]["source"]
        assert found["lens"]["seed"] == 0


def test_it_learns_from_documents_that_are_not_measured(tuned):
    lenses = tuned.work / "results/lenses"
    tokens = read(lenses / "tokens/tuned.parquet")
    assert tokens["doc"].to_pylist() == list(range(4, DOCUMENTS))
    with safe_open(lenses / "tuned.safetensors", framework="np") as file:
        facts = json.loads(file.metadata()["semantic-statistics"])
        assert set(file.keys()) == {f"layer.{k}.{x}" for k in (0, 1) for x in ("weight", "bias")}
        assert all(np.abs(file.get_tensor(name)).max() > 0 for name in file.keys())  # noqa: SIM118
    assert facts["held_out"] == [7, 11]
    assert (facts["first_document"], facts["blocks"]) == (4, BLOCKS)
    table = read(lenses / "tuned.parquet").to_pylist()
    assert [row["layer"] for row in table] == [0, 1]
    states = {doc: len(row) - 1 for doc, row in zip(*tokens.to_pydict().values(), strict=True)}
    for row in table:
        assert (row["trained_documents"], row["documents"]) == (6, 2)
        assert row["states"] == states[7] + states[11]
        assert row["trained_states"] == sum(states.values()) - row["states"]
        assert row["gain"] == pytest.approx(row["logit_lens"] - row["tuned_lens"])
        assert row["tuned_lens_low"] < row["tuned_lens"] < row["tuned_lens_high"]


def test_another_shard_is_measured_without_training_again(tuned, study):
    study = copy.deepcopy(study)
    study["models"]["tuned"] = LENS
    study["datasets"]["text"]["shards"] = 2
    planned = tuned.would_run(study=study)
    assert "Measuring energies of tuned on text, shard 1" in planned
    assert not any("lens" in job and job.startswith(("Training", "Tokenizing")) for job in planned)


# Bad input.


@pytest.fixture
def folder(tuned, tmp_path):
    """What measuring through the lens needs."""
    for name in ("models/tiny", "lenses"):
        shutil.copytree(tuned.work / "results" / name, tmp_path / name)
    return tmp_path


def measure(folder, tokens, *options, layers=("0", "3")):
    given = ["--model=models/tiny", "--name=tuned", "--readout=tuned_lens", "--context=48"]
    given += ["--stride=24", "--lens=lenses/tuned.safetensors", "--tokens", tokens]
    given += ["--layers", *layers, "--out", *(f"{layer}.parquet" for layer in layers)]
    said = command("measure_energies", *given, *options, cwd=folder)
    assert (folder / "0.parquet").exists() == (said.code == 0)
    return said


def test_a_document_that_trained_the_lens_is_not_measured(folder, finished):
    shard = finished.work / "results/tokens/model=tiny/dataset=text/shard=1.parquet"
    said = measure(folder, shard)
    complaint(said, "shard=1.parquet: document 7", "tuned.safetensors", "models.tuned.train_docum")


def test_a_lens_without_the_layer(folder, finished):
    shard = finished.work / "results/tokens/model=tiny/dataset=text/shard=0.parquet"
    said = measure(folder, shard, layers=("0", "2"))
    complaint(said, "tuned.safetensors: holds no translator of layer 2", "rm ")


def test_a_damaged_lens(folder, finished):
    shard = finished.work / "results/tokens/model=tiny/dataset=text/shard=0.parquet"
    path = folder / "lenses/tuned.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    complaint(measure(folder, shard), "tuned.safetensors: not a whole tuned lens", "rm ")


def test_too_few_documents_to_leave_any_to_measure(folder, finished):
    given = ["--model=models/tiny", "--dataset=text", "--beyond=8", "--documents=8"]
    given += ["--corpus", finished.work / "results/corpora/text.parquet"]
    given += [f"--prefix-token={PREFIX}", "--out=tokens.parquet"]
    said = command("tokenize_corpus", *given, cwd=folder)
    complaint(said, "holds 12 documents", "first 8", "`train_documents`")


def test_too_few_documents_to_train_and_test(folder):
    table = pa.Table.from_pydict({"doc": range(7), "tokens": [[0, 5, 6]] * 7}, schema=TOKENS)
    write_table(folder / "few.parquet", table, {"dataset": "text"})
    given = ["--model=models/tiny", "--name=tuned", "--tokens=few.parquet", "--layers", "0"]
    said = command("train_lens", *given, "--out=o.safetensors", "--table=o.parquet", cwd=folder)
    complaint(said, "few.parquet: 7 documents are too few", "models.tuned.train_documents")
