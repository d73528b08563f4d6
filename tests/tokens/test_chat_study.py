"""Conversations and special tokens through the whole command line."""

import copy
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer

from tests.runs import TINY_STUDY
from tests.tiny import PREFIX, tiny_tokenizer

TOKENS = "results/tokens/model={}/dataset={}/shard=0.parquet"
TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"


@pytest.fixture(scope="module")
def study():
    study = copy.deepcopy(TINY_STUDY)
    shared = {"source": "path", "documents_per_shard": 4}
    chats = {"files": "inputs/chats.jsonl.zst", "text_column": "messages"}
    study["datasets"] = {
        "text": shared | {"files": "inputs/texts/*.txt", "special_tokens_in_text": True},
        "chats": shared | chats | {"tokens_per_document": 30},
        "chats-shuffled": {"source": "ensemble", "of": "chats", "ensemble": "shuffled"},
        "text-own": {"source": "generated", "of": "text", "tokens_per_document": 30},
    }
    study["datasets"]["chats-shuffled"]["documents_per_shard"] = 4
    study["datasets"]["text-own"] |= {"sampling_temperature": 1, "documents_per_shard": 4}
    lens = {"train_on": "text", "train_documents": 8}
    study["models"]["tiny-lens"] = {"like": "tiny", "readout": "tuned_lens", "lens": lens}
    return study


@pytest.fixture(scope="module")
def place(pristine, study, tmp_path_factory):
    place = pristine.copy(tmp_path_factory.mktemp("chats"))
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(place.work / "inputs/tiny")
    rows = [{"messages": [{"role": "user", "content": f"Number {i}, {PREFIX}"}]} for i in range(4)]
    with pa.CompressedOutputStream(str(place.work / "inputs/chats.jsonl.zst"), "zstd") as file:
        file.writelines(f"{json.dumps(row)}\n".encode() for row in rows)
    models = ("tiny", "tiny-random")
    place.run(*(TOKENS.format(model, "chats") for model in models), study=study)
    return place


def test_conversations_become_each_models_tokens(place):
    """The null model has the template of the one that it is like."""
    tokenizer = Tokenizer.from_file(str(place.work / "results/models/tiny/tokenizer.json"))
    one, other = (
        pq.ParquetFile(place.work / TOKENS.format(model, "chats")).read()["tokens"].to_pylist()
        for model in ("tiny", "tiny-random")
    )
    assert one == other
    texts = [tokenizer.decode(tokens[1:], skip_special_tokens=False) for tokens in one]
    assert texts == [f"user: Number {i}, {PREFIX}\n"[:30] for i in range(4)]
    assert all(tokens[0] == 0 not in tokens[1:] for tokens in one)


def test_what_is_made_of_text_reads_special_tokens_as_the_text_does(place, study):
    lens = "results/lenses/tokens/tiny-lens.parquet"
    targets = [TOKENS.format("tiny", dataset) for dataset in ("text", "text-own")]
    others = [TOKENS.format("tiny", dataset) for dataset in ("chats", "chats-shuffled")]
    for wanted, told in (([*targets, lens], True), (others, False)):
        for target in wanted:
            plan = ["--dry-run", "--printshellcmds", f"--forcerun={target}", target]
            said = place.snakemake(*plan, study=study)
            assert said.code == 0, said.text
            assert ("--special-tokens-in-text" in said.text) == told, target
