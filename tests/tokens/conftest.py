"""What tests of the commands that make tokens share: a tokenizer, and shards of a small corpus."""

import json

import pyarrow as pa
import pytest

from tests.tiny import PREFIX, VOCABULARY, tiny_tokenizer
from workflow_scripts.running.command import call
from workflow_scripts.semstat.sources.tables import CHATS, CORPUS
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS

TEXTS = [f"document {i}: " + "Ω and more " * i for i in range(6)]


@pytest.fixture
def snapshot(tmp_path):
    folder = tmp_path / "tiny"
    tiny_tokenizer().save_pretrained(folder)
    (folder / "provenance.json").write_text(json.dumps({"vocabulary": VOCABULARY}))
    return folder


@pytest.fixture
def shard(snapshot, tmp_path):
    """Tokens that a command makes of one shard of two documents: doc → list."""

    def run(command, number=0, *options, texts=TEXTS, prefix=PREFIX, ensemble=None):
        corpus, out = tmp_path / "corpus.parquet", tmp_path / "tokens.parquet"
        chats = isinstance(texts[0], list)
        schema, column = (CHATS, map(json.dumps, texts)) if chats else (CORPUS, texts)
        table = pa.Table.from_arrays([range(len(texts)), list(column)], schema=schema)
        write_table(corpus, table, {"dataset": "x"})
        words = ["--model", snapshot, "--corpus", corpus, "--dataset", "x", "--out", out]
        words += ["--shard", number, "--documents-per-shard", 2, "--prefix-token", prefix]
        call(command, [str(word) for word in [*words, *options]])
        found = read_table(out, TOKENS)
        provenance = provenance_of(found.schema)
        assert provenance["corpus"] == {"dataset": "x"}
        assert (provenance["dataset"], provenance["ensemble"]) == ("x", ensemble)
        return dict(zip(*found.to_pydict().values(), strict=True))

    return run
