"""A tuned lens through the real command line: trained, applied, compared, and only when needed."""

import copy
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

from tests.runs import DOCUMENTS, TINY_STUDY, command, complaint
from tests.tiny import BLOCKS, PREFIX
from workflow_scripts.lenses.lens_files import read_lens
from workflow_scripts.lenses.train_lens import train_lens
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.tables import write_table
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus

TRAINING = {"train_on": "text", "train_documents": 8}
LENS = {"like": "tiny", "readout": "tuned_lens", "lens": TRAINING}
ENERGIES = "results/energies/model={}/dataset=text-shuffled/layer={}/shard=0.parquet"
WELLS = "results/wells/model=tuned/dataset=text-shuffled.parquet"
TABLE = "results/lenses/tuned.parquet"


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
    place.run(WELLS, TABLE, study=study)
    return place


def read(path):
    return pq.ParquetFile(path).read()


def provenance(path):
    return json.loads(pq.ParquetFile(path).schema_arrow.metadata[b"semantic-statistics"])


def test_it_is_trained_once_and_measured_beside_the_logit_lens(finished, study, tuned):
    planned = tuned.would_run()
    assert not any("lens" in job and job.startswith(("Training", "Tokenizing")) for job in planned)
    assert "Drawing curves across models" in planned
    assert not any(job.startswith("Fetching") for job in planned), "it has weights of its own"
    assert not (tuned.work / "results/models/tuned").exists()
    other = copy.deepcopy(study)
    other["models"]["tuned"] = LENS | {"lens": TRAINING | {"seed": 1}}
    assert "Training the lens tuned" in tuned.would_run(study=other)


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
    table = read(tuned.work / TABLE).to_pylist()
    assert [row["layer"] for row in table] == [0, 1]
    states = {doc: len(row) - 2 for doc, row in zip(*tokens.to_pydict().values(), strict=True)}
    for row in table:
        assert (row["trained_documents"], row["documents"]) == (6, 2)
        assert row["states"] == states[7] + states[11]
        assert row["trained_states"] == sum(states.values()) - row["states"]
        assert row["gain"] == pytest.approx(row["logit_lens"] - row["tuned_lens"])
        assert row["tuned_lens_low"] < row["tuned_lens"] < row["tuned_lens_high"]
    for row in read(lenses / "sums/tuned.parquet").to_pylist():
        assert row["doc"] in (7, 11) and row["states"] == states[row["doc"]]


def test_an_estimator_edited_trains_and_measures_nothing(tuned, study, tmp_path_factory):
    place = tuned.copy(tmp_path_factory.mktemp("edited"))
    path = place.clone / "workflow_scripts/semstat/statistics/block_errors.py"
    path.write_text(path.read_text() + "\n\nEDITED = True\n")
    planned = place.would_run(WELLS, TABLE, study=study)
    assert planned == {
        "Describing the divergence of tuned and the logit lens",
        "Estimating curves of tuned on text-shuffled",
    }


def test_another_shard_is_measured_without_training_again(tuned, study):
    study = copy.deepcopy(study)
    study["models"]["tuned"] = LENS
    study["datasets"]["text"]["shards"] = 2
    planned = tuned.would_run(study=study)
    assert "Measuring energies of tuned on text, shard 1" in planned
    assert not any("lens" in job and job.startswith(("Training", "Tokenizing")) for job in planned)


def test_any_weights_are_read_out_either_way(tuned, study):
    """Where weights come from and how states are read out are planned apart."""
    study = copy.deepcopy(study)
    study["models"] |= {
        "half": {"like": "tiny", "dtype": "bfloat16"},
        "twin": {"source": "random", "like": "tuned"},
        "twin-plain": {"like": "twin", "readout": "logit_lens"},
    }
    planned = tuned.would_run(study=study)
    for model in ("half", "twin", "twin-plain"):
        assert f"Measuring energies of {model} on text, shard 0" in planned
    fetched = {job for job in planned if job.startswith("Fetching model")}
    assert fetched == {"Fetching model twin"}
    assert {job for job in planned if "lens" in job and job.startswith("Training")} == {
        "Training the lens twin"
    }


# Bad input.


def measure(folder, tokens):
    given = ["--model=models/tiny", "--name=tuned", "--context=48", "--stride=24"]
    given += ["--lens=lenses/tuned.safetensors", "--tokens", tokens]
    given += ["--layers", "0", "--out", folder / "energies.parquet"]
    return command("lenses.measure_through_lens", *given, cwd=folder)


def test_a_document_that_trained_the_lens_is_not_measured(tuned, finished, tmp_path):
    shard = finished.work / "results/tokens/model=tiny/dataset=text/shard=1.parquet"
    said = measure(tuned.work / "results", shard)
    complaint(
        said, "shard=1.parquet: document 7", "tuned.safetensors", "models.tuned.lens.train_docum"
    )
    assert not (tuned.work / "results/energies.parquet").exists()


def test_a_lens_that_is_not_what_it_should_be(tuned, tmp_path):
    path = tmp_path / "tuned.safetensors"
    whole = (tuned.work / "results/lenses/tuned.safetensors").read_bytes()
    path.write_bytes(whole)
    lens, _ = read_lens(path, [0, 1, BLOCKS])
    assert set(lens) == {0, 1}, "the last layer has none"
    with pytest.raises(
        InputError, match=r"tuned\.safetensors: holds no translator of layer 2; del"
    ):
        read_lens(path, [0, 2])
    for content in (whole[:-100], b"", b"garbage" * 9):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"not a whole tuned lens \(.*; delete it and make "):
            read_lens(path, [0])
    path.unlink()
    with pytest.raises(InputError, match=r"tuned\.safetensors: no such file; run snakemake"):
        read_lens(path, [0])


def test_too_few_documents_to_leave_any_to_measure(finished, tmp_path):
    given = ["--dataset=text", "--beyond=8", "--documents-per-shard=8", f"--prefix-token={PREFIX}"]
    given += ["--model", finished.work / "results/models/tiny", "--out", tmp_path / "o.parquet"]
    given += ["--corpus", finished.work / "results/corpora/text.parquet"]
    with pytest.raises(
        InputError, match=r"text\.parquet holds 12 documents, .* first 8 .* train on"
    ):
        call(tokenize_corpus, list(map(str, given)))


def test_too_few_documents_to_train_and_test(finished, tmp_path):
    table = pa.Table.from_pydict({"doc": range(7), "tokens": [[0, 5, 6]] * 7}, schema=TOKENS)
    write_table(tmp_path / "few.parquet", table, {"dataset": "text"})
    given = ["--name=tuned", "--context=48", "--stride=24", "--layers=0"]
    given += [
        "--model",
        finished.work / "results/models/tiny",
        "--tokens",
        tmp_path / "few.parquet",
    ]
    given += ["--out", tmp_path / "o.safetensors", "--sums", tmp_path / "o.parquet"]
    with pytest.raises(
        InputError, match=r"few\.parquet: 7 documents are too few .*models\.tuned\.lens\.tr"
    ):
        call(train_lens, list(map(str, given)))
    assert not list(tmp_path.glob("o.*"))
