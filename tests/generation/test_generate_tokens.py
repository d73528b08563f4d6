"""Generated shards are the model's own text, whatever is computed beside them."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from tests.tiny import BLOCKS, PREFIX, VOCABULARY, save_tiny_model, tiny_model
from workflow_scripts.generation.generate_tokens import generate_tokens
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.sampling import Sampling, draw_uniform
from workflow_scripts.semstat.generation.writing import continue_texts
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.replay import Reader
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS

TEXTS = [f"{doc} documents begin so" for doc in range(6)]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    folder = save_tiny_model(tmp_path_factory.mktemp("snapshot") / "tiny")
    (folder / "provenance.json").write_text(json.dumps({"vocabulary": VOCABULARY}))
    return folder


@pytest.fixture
def shard(snapshot, tmp_path):
    """Tokens of one shard: doc → list."""

    def run(number=0, documents=2, prompt=4, tokens=30, sampling_temperature=0.7, *options):
        corpus, out = tmp_path / "corpus.parquet", tmp_path / "tokens.parquet"
        table = pa.Table.from_pydict({"doc": range(len(TEXTS)), "text": TEXTS}, schema=CORPUS)
        write_table(corpus, table, {"dataset": "x"})
        words = ["--model", snapshot, "--corpus", corpus, "--dataset", "x", "--out", out]
        words += ["--shard", number, "--documents-per-shard", documents, "--prefix-token", PREFIX]
        words += ["--prompt-tokens", prompt, "--tokens-per-document", tokens, "--device", "cpu"]
        words += ["--sampling-temperature", sampling_temperature, *options]
        call(generate_tokens, [str(word) for word in words])
        found = read_table(out, TOKENS)
        provenance = provenance_of(found.schema)
        assert provenance["corpus"] == {"dataset": "x"}
        assert provenance["ensemble"] == "generated"
        assert provenance["sampling_temperature"] == sampling_temperature
        assert provenance["prompt_tokens"] == prompt and provenance["dtype"] == "float32"
        return dict(zip(*found.to_pydict().values(), strict=True))

    return run


@pytest.mark.parametrize(("prompt", "sampling_temperature"), [(0, 0.7), (4, 0), (4, 0.7)])
def test_a_shard_is_what_the_model_writes_after_its_prompts(shard, prompt, sampling_temperature):
    found = shard(2, prompt=prompt, sampling_temperature=sampling_temperature)
    assert list(found) == [4, 5]
    for doc, tokens in found.items():
        assert len(tokens) == 31 and tokens[0] == 0
        prompt_t = torch.tensor([tokens[: prompt + 1]])
        uniform_t = torch.tensor(draw_uniform(0, doc, 30 - prompt))[None]
        reader = Reader(LayeredModel(tiny_model()), BLOCKS)
        sampling = Sampling(sampling_temperature, uniform_t)
        written = continue_texts(reader, prompt_t, 30 - prompt, sampling)
        assert tokens[prompt + 1 :] == written.token_xt[0].tolist()
    if prompt:
        assert found[4][1] != found[5][1]
        assert found[4][2:5] == found[5][2:5], "the texts differ in their first byte alone"


def test_texts_that_are_all_the_same_are_refused(shard):
    with pytest.raises(InputError, match=r"are the same tokens, .*; raise prompt_tokens or sampl"):
        shard(2, prompt=0, sampling_temperature=0)


def test_what_is_drawn_does_not_depend_on_shards_batches_or_other_documents(shard):
    whole = shard(0, 6)
    assert whole == shard(0, 6, 4, 30, 0.7, "--batch-tokens", 1)
    assert whole == shard(0, 6, 4, 30, 0.7, "--batch-tokens", 4 * 31)
    assert shard(1, 2) == {doc: whole[doc] for doc in (2, 3)}
    assert whole != shard(0, 6, 4, 30, 0.7, "--seed", 1)
    drawn = np.array([tokens[5:] for tokens in whole.values()])
    assert len(np.unique(drawn, axis=0)) == 6, "documents have numbers of their own"


def test_more_tokens_go_on_where_fewer_ended(shard):
    short, long = shard(tokens=20), shard(tokens=30)
    assert {doc: tokens[:21] for doc, tokens in long.items()} == short


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"prompt": 29},
            r"^datasets\.x\.prompt_tokens: document 0 of .* has only 20 tokens, not 29; lower it, ",
        ),
        (
            {"tokens": 65},
            r"^datasets\.x\.tokens_per_document: 65 positions are more than the 64 that tiny was ",
        ),
        (
            {"number": 9},
            r"^datasets\.x\.shards: 10 × 2 documents are asked for, but .* holds 6; ",
        ),
    ],
)
def test_what_makes_no_shard_is_one_sentence(shard, options, expected, tmp_path):
    with pytest.raises(InputError, match=expected):
        shard(**options)
    assert not (tmp_path / "tokens.parquet").exists()
