"""From a model and a text to a table and curves: the workflow's numbers, and nothing altered."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
import torch
import transformers

from tests.runs import REPO, said
from tests.tiny import BLOCKS, FAMILIES, PREFIX, VOCABULARY, tiny_model, tiny_tokenizer
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.notebook import (
    TEXT_ENERGIES,
    curves_of,
    measure_energies,
)

TOKENIZER = tiny_tokenizer()
TEXT = "the people of the union, naïve 漢字"


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def energies(model):
    return measure_energies(model, TOKENIZER, ["we the people", TEXT])


def test_a_row_is_a_layer_and_state_in_order(energies):
    assert energies.schema == TEXT_ENERGIES and energies["energy"].null_count == 0
    order = list(pl.from_arrow(energies)[:, :3].iter_rows())
    assert energies.column_names[:3] == ["layer", "doc", "position"]
    assert order == sorted(order) and len(set(order)) == len(order)
    states = len(b"we the people") + len(TEXT.encode())
    assert {(layer, doc) for layer, doc, _ in order} == {
        (layer, doc) for layer in range(BLOCKS + 1) for doc in (0, 1)
    }
    assert (BLOCKS + 1) * (states - 2) <= len(order) <= (BLOCKS + 1) * states


def test_tokens_are_the_text(energies):
    table = pl.from_arrow(energies).filter(layer=2, doc=0)
    read = table.filter(pl.col("position") > 0)
    assert "".join(read["last_token"]) + read["correct_token"][-1] == "we the people"
    ids = TOKENIZER("we the people", add_special_tokens=False)["input_ids"]
    assert [*read["last"], read["correct"][-1]] == ids
    assert table["top_token"].to_list() == [TOKENIZER.decode([token]) for token in table["top"]]


def test_a_token_keeps_the_space_that_a_tokenizer_drops_at_the_start():
    """As sentencepiece does, whose decoder strips a text's first space."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE

    pieces = ["<s>", *"▁abc", "▁a", "▁b"]
    backend = Tokenizer(
        BPE(vocab={piece: i for i, piece in enumerate(pieces)}, merges=[("▁", "a"), ("▁", "b")])
    )
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>")  # noqa: S106
    table = measure_energies(tiny_model(), tokenizer, "a b ac", layers=[0])
    assert table["correct_token"].to_pylist()[-3:] == [" b", " a", "c"]


def test_energies_are_those_of_the_workflow_to_the_bit(finished):
    """Those of the tiny study, whose documents are longer than its context."""
    results = finished.work / "results"
    texts = pq.read_table(results / "corpora/text.parquet")["text"].to_pylist()[:8]
    snapshot = results / "models/tiny"
    found = measure_energies(
        transformers.AutoModelForCausalLM.from_pretrained(snapshot),
        transformers.AutoTokenizer.from_pretrained(snapshot),
        texts,
        [0, 1, 3],
        prefix_token=PREFIX,
        context=48,
        stride=24,
    )
    for layer in (0, 1, 3):
        expected = of_tiny_study(finished, layer)
        assert len(expected) > 8 * 48
        assert pl.from_arrow(found).filter(layer=layer)[ENERGIES.names].equals(expected)


def of_tiny_study(finished, layer):
    """The energies of the text, as the workflow has measured them."""
    folder = finished.work / f"results/energies/model=tiny/dataset=text/layer={layer}"
    return pl.concat(
        pl.from_arrow(pq.ParquetFile(path).read()) for path in sorted(folder.iterdir())
    )


def test_curves_are_those_of_the_workflow_to_the_bit(finished, tmp_path):
    """By one thread, as in its jobs: to others linear algebra rounds otherwise."""
    of_tiny_study(finished, 1).write_parquet(tmp_path / "energies.parquet")
    code = """
import sys
import polars as pl
from workflow_scripts.semstat.notebook import curves_of
energies = pl.read_parquet("energies.parquet")
curves = curves_of(energies["energy"], energies["doc"], resamples=50)
here, workflow = pl.DataFrame(curves.columns()), pl.read_parquet(sys.argv[1])
print(here.with_columns(pl.col(pl.Float64).fill_nan(None)).equals(workflow[here.columns]))
"""
    theirs = finished.work / "results/curves/model=tiny/dataset=text/layer=1.parquet"
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = one | {"PYTHONPATH": str(REPO)}
    assert said([sys.executable, "-c", code, theirs], tmp_path, environment) == (0, "True\n")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_plain_model_is_left_as_it_was(family):
    """Hooks, flags and weights; and it trains on as if nobody had looked."""
    measured, untouched = tiny_model(family), tiny_model(family)
    next(measured.parameters()).requires_grad_(False)
    next(untouched.parameters()).requires_grad_(False)
    assert measure_energies(measured, TOKENIZER, TEXT).num_rows
    for ours, theirs in zip(measured.modules(), untouched.modules(), strict=True):
        assert not ours._forward_hooks and not ours._forward_pre_hooks
        assert ours.training == theirs.training is False
    assert measured.state_dict().keys() == untouched.state_dict().keys()
    ids = torch.arange(1, 20)[None]
    for model in (measured, untouched):
        model(ids).logits.logsumexp(-1).sum().backward()
    for ours, theirs in zip(measured.parameters(), untouched.parameters(), strict=True):
        assert ours.requires_grad == theirs.requires_grad and torch.equal(ours, theirs)
        assert (ours.grad is None) == (theirs.grad is None)
        assert ours.grad is None or torch.equal(ours.grad, theirs.grad)


def test_layers_windows_and_batches_are_chosen(model, energies):
    layered = LayeredModel(model)
    some = measure_energies(layered, TOKENIZER, ["we the people", TEXT], [3, 1, 3], batch_tokens=1)
    expected = pl.from_arrow(energies).filter(pl.col("layer").is_in([1, 3]))
    found = pl.from_arrow(some)
    assert found.select("layer", "doc", "position").equals(
        expected.select("layer", "doc", "position")
    )
    np.testing.assert_allclose(found["energy"], expected["energy"], atol=1e-6)
    windowed = measure_energies(model, TOKENIZER, TEXT, context=16, stride=4)
    whole = pl.from_arrow(energies).filter(doc=1)
    windowed = pl.from_arrow(windowed)
    assert windowed["position"].equals(whole["position"])
    same = np.isclose(windowed["energy"], whole["energy"], atol=1e-6)
    assert same[whole["position"] < 16].all() and not same.all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_any_dtype_is_measured(dtype, energies):
    found = measure_energies(tiny_model().to(dtype), TOKENIZER, ["we the people", TEXT])
    assert 0 < np.abs(found["energy"].to_numpy() - energies["energy"].to_numpy()).max() < 0.2


BAD_MODELS = {
    "gpt2": ["model: str is no causal language model", "AutoModelForCausalLM.from_pretrained"],
    "body": ["model: LlamaModel is no causal language model"],
    "masked": ["model: BertForMaskedLM is no causal language model"],
    "encoder-decoder": ["model: T5ForConditionalGeneration is no causal language model"],
    "training": ["model: it is in training mode", "model.eval()"],
    "training in part": ["model: it is in training mode"],
    "elsewhere": ["model: it is on the device meta", 'model.to("cpu")'],
    "NaN": ["NaN or infinite"],
}


def bad_model(kind):
    small = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2}
    small |= {"num_attention_heads": 4, "intermediate_size": 48}
    model = tiny_model()
    if kind == "masked":
        return transformers.BertForMaskedLM(transformers.BertConfig(**small)).eval()
    if kind == "encoder-decoder":
        config = transformers.T5Config(vocab_size=VOCABULARY, d_model=32, d_kv=8, num_layers=2)
        return transformers.T5ForConditionalGeneration(config).eval()
    if kind == "training in part":
        model.model.layers[1].train()
    if kind == "NaN":
        model.model.layers[1].mlp.down_proj.weight.data[0] = torch.nan
    others = {"gpt2": lambda: "gpt2", "body": lambda: model.model, "training": model.train}
    return others.get(kind, lambda: model.to("meta") if kind == "elsewhere" else model)()


@pytest.mark.parametrize("kind", BAD_MODELS)
def test_a_model_that_cannot_be_measured_is_refused_in_one_sentence(kind):
    with pytest.raises(InputError) as refused:
        measure_energies(bad_model(kind), TOKENIZER, TEXT)
    assert all(word in str(refused.value) for word in BAD_MODELS[kind])
    assert "\n" not in str(refused.value)


def test_a_state_that_is_not_finite_is_named_with_the_remedy():
    broken = tiny_model()
    broken.model.embed_tokens.weight.data[TOKENIZER.convert_tokens_to_ids("w")] = torch.nan
    with pytest.raises(InputError, match=r"model: layer \d.* document 1 .*dtype=torch.float32"):
        measure_energies(broken, TOKENIZER, ["the people", "we"])


def without_special_tokens():
    tokenizer = tiny_tokenizer()
    tokenizer.bos_token = tokenizer.eos_token = None
    return tokenizer


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, ["text: document 0 ('') has 0 token(s)", "needs two"]),
        (["fine", "x"], {}, ["text: document 1 ('x') has 1 token(s)", "leave it out"]),
        ([], {}, ["text: there is none"]),
        (TEXT, {"layers": [0, 4]}, ["layers: layer 4 does not exist", "layers 0 to 3"]),
        (TEXT, {"layers": [-1]}, ["layers: layer -1 does not exist"]),
        (TEXT, {"context": 65}, ["context: 65 positions", "the 64 that the model was made for"]),
        (TEXT, {"context": 8, "stride": 9}, ["stride: 9", "between 1 and the context, 8"]),
        (TEXT, {"stride": -1}, ["stride: -1"]),
        (TEXT, {"prefix_token": "<s>"}, ["prefix_token: '<s>' is no token", PREFIX]),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_sentence(text, options, words, model):
    with pytest.raises(InputError) as refused:
        measure_energies(model, TOKENIZER, text, **options)
    assert all(word in str(refused.value) for word in words)
    assert "\n" not in str(refused.value)


def test_a_tokenizer_that_names_no_prefix_token_wants_one(model, energies):
    with pytest.raises(InputError, match=r"prefix_token: the tokenizer names no token that begins"):
        measure_energies(model, without_special_tokens(), TEXT)
    given = measure_energies(
        model, without_special_tokens(), ["we the people", TEXT], prefix_token=PREFIX
    )
    assert given.equals(energies)


def test_the_tokenizer_of_another_model_is_refused():
    smaller = tiny_model(vocab_size=100)
    with pytest.raises(InputError, match=r"token id \d+ lies beyond .* of 100; the tokenizer"):
        measure_energies(smaller, TOKENIZER, "漢")


def test_curves_of_any_energies_have_bands():
    rng = np.random.default_rng(0)
    energy_s, doc_s = rng.uniform(-1, 1, 4000), np.arange(4000) // 50
    curves = curves_of(energy_s, doc_s)
    at = (np.abs(curves.energy) < 0.9) & ~curves.extrapolated
    exact = curves.energy[at] + 1
    temperature = curves.temperature
    inside = (temperature.band_low[at] <= exact) & (exact <= temperature.band_high[at])
    assert at.sum() > 100 and inside.all()
    named = curves_of(energy_s.tolist(), [f"document {doc:02}" for doc in doc_s])
    np.testing.assert_array_equal(named.temperature.value, temperature.value)


@pytest.mark.parametrize(
    ("energy", "doc", "words"),
    [
        ([0.1, 0.2], [3, 3], "all states are in one block of documents"),
        ([0.1, 2.0], [0, 1], "energy 2.0 is outside"),
        ([0.1, float("nan")], [0, 1], "energy nan is outside"),
        ([0.1, 0.2], [0], "give each state one energy and the number of its document"),
    ],
)
def test_curves_of_bad_energies_are_refused(energy, doc, words):
    with pytest.raises(ValueError, match=words):
        curves_of(energy, doc)
