"""Energies of the tiny study, against the plainest way to compute them."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import transformers

from tests.results import CONTEXT, LAYERS, STRIDE, energies_path, tokens_path


@pytest.fixture(scope="module")
def results(finished):
    return finished.work / "results"


def plain_energies(results, model, dataset, shard):
    """H at the final layer by the plainest route there is: the model's own softmax in float64.

    Returns (doc, position) → (last, correct, energy, entropy, top).
    """
    plain = transformers.AutoModelForCausalLM.from_pretrained(
        results / "models" / model, dtype=torch.float64
    ).eval()
    rows = pq.ParquetFile(tokens_path(results, model, dataset, shard)).read().to_pylist()
    expected = {}
    for row in rows:
        tokens, scored = row["tokens"], 1
        for start in range(0, len(tokens) - 1, STRIDE):
            ids = tokens[start : start + CONTEXT]
            with torch.inference_mode():
                p = plain(torch.tensor([ids])).logits[0].softmax(-1)
            for t in range(scored, min(start + CONTEXT, len(tokens) - 1)):
                p_t, last, correct = p[t - start], tokens[t], tokens[t + 1]
                energy = float(p_t[correct] - p_t[last])
                entropy = float(-(p_t * p_t.log()).sum())
                expected[row["doc"], t] = (last, correct, energy, entropy, int(p_t.argmax()))
            scored = min(start + CONTEXT, len(tokens) - 1)
    return expected


@pytest.mark.parametrize(
    ("model", "dataset", "shard"),
    [("tiny", "text", 1), ("tiny", "text-uniform", 0), ("tiny-random", "text", 0)],
)
def test_energies_are_those_of_a_plain_softmax(results, model, dataset, shard):
    expected = plain_energies(results, model, dataset, shard)
    assert max(position for _, position in expected) >= CONTEXT, "a document needs two windows"
    path = energies_path(results, model, dataset, LAYERS[-1], shard)
    rows = pq.ParquetFile(path).read().to_pylist()
    assert [(row["doc"], row["position"]) for row in rows] == list(expected)
    for row in rows:
        last, correct, energy, entropy, top = expected[row["doc"], row["position"]]
        assert (row["last"], row["correct"], row["top"]) == (last, correct, top)
        assert row["energy"] == pytest.approx(energy, abs=2e-6)
        assert row["entropy"] == pytest.approx(entropy, abs=2e-5)
        assert row["energy"] == 0 or last != correct
        difference = np.exp(row["log_p_correct"]) - np.exp(row["log_p_last"])
        assert difference == pytest.approx(energy, abs=2e-6)
