"""A real pretrained model on real text, against the plainest computation there is, in float64.

What is compared are the first documents of the default study, whose model and corpus come from the
package registry as in a user's run.
"""

import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import torch
import transformers
from tokenizers import Tokenizer

LAYERS = [0, 10, 20, 30]
DOCUMENTS, TOKENS = 4, 160
ENSEMBLE = "model=smollm2-135m/dataset=sotu"


@pytest.fixture(scope="module")
def documents(default_study):
    """doc → its tokens, of the first documents."""
    rows = pq.ParquetFile(default_study / f"tokens/{ENSEMBLE}/shard=0.parquet").read().to_pylist()
    return {row["doc"]: row["tokens"] for row in rows[:DOCUMENTS]}


@pytest.fixture(scope="module")
def energies(default_study):
    """layer → columns, of the same documents."""
    columns = {}
    for layer in LAYERS:
        shard = ds.dataset(default_study / f"energies/{ENSEMBLE}/layer={layer}/shard=0.parquet")
        table = shard.to_table(filter=ds.field("doc") < DOCUMENTS)
        columns[layer] = {name: table[name].to_numpy() for name in table.column_names}
    return columns


@pytest.fixture(scope="module")
def plain(smollm2, documents):
    """layer → H of every state, and at the final layer ln p of the correct token, in float64."""
    model = transformers.AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.float64).eval()
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


def test_the_well_empties_with_depth_as_the_logit_lens_reads_it(energies):
    share = {layer: np.mean(energies[layer]["energy"] < -0.5) for layer in LAYERS}
    assert share[0] > 0.6
    assert share[30] < 0.02
    mean = [energies[layer]["energy"].mean() for layer in LAYERS]
    assert mean == sorted(mean)


def test_digits_are_tokens_of_their_own(smollm2):
    tokenizer = Tokenizer.from_file(str(smollm2 / "tokenizer.json"))
    assert tokenizer.encode("in 1776,", add_special_tokens=False).tokens == [
        "in", "Ġ", "1", "7", "7", "6", ","
    ]  # fmt: skip
    text = "The year 2026: 100% of it — naïve, 漢字.\n"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


def test_documents_start_with_the_prefix_token(smollm2, documents):
    tokenizer = Tokenizer.from_file(str(smollm2 / "tokenizer.json"))
    assert tokenizer.token_to_id("<|endoftext|>") == 0
    assert {tokens[0] for tokens in documents.values()} == {0}
