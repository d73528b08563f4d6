"""Trainings of a tiny model, by the commands themselves."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import transformers
from safetensors.torch import load_file

from tests.tiny import PREFIX
from workflow_scripts.running.command import call
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import read_table, write_table
from workflow_scripts.semstat.training.columns import FITTING
from workflow_scripts.tokens.ensembles.injected import injected
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus
from workflow_scripts.training.draw_start import draw_start

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}
DROPPING: dict[str, Any] = {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 2}
"""Three kinds of dropout, each 0.1."""

DOCUMENTS, MEASURED = 12, 4

BATCH, SEQUENCE, UPDATES = 4, 16, 8
STEP = BATCH * SEQUENCE


def write_corpus(path: Path) -> Path:
    rng = np.random.default_rng(0)
    words = ["we", "the", "people", "of", "this", "union", "read", "vote", "sleep", "too", "1776"]
    texts = [" ".join(rng.choice(words, size=40)) for _ in range(DOCUMENTS)]
    table = pa.Table.from_arrays([range(DOCUMENTS), texts], schema=CORPUS)
    write_table(path, table, {"dataset": "text"})
    return path


class Place(NamedTuple):
    """A corpus, a start, and tokens of the last documents."""

    corpus: Path
    start: Path
    tokens: Path

    @classmethod
    def made(cls, folder: Path, architecture: dict[str, Any] = LLAMA) -> Place:
        corpus = write_corpus(folder / "corpus.parquet")
        start = draw(folder / "start", corpus, architecture)
        return cls(corpus, start, tokenized(folder / "tokens.parquet", corpus, start))


def draw(out: Path, corpus: Path, architecture: dict[str, Any] = LLAMA, **options: Any) -> Path:
    """Draw a start, whose tokenizer is of the corpus unless there is another one."""
    layers = ("num_hidden_layers", "n_layer")
    given: dict[str, Any] = {
        "name": "m",
        "architecture": json.dumps(architecture),
        "prefix_token": PREFIX,
        "blocks": next((architecture[key] for key in layers if key in architecture), 2),
        "out": out,
    }
    if "tokenizer_of" not in options:
        given |= {"corpus": corpus, "made_of": "text", "last_documents": 8, "vocabulary": 280}
    call(draw_start, words(given | options))
    return out


def tokenized(out: Path, corpus: Path, model: Path, rate: float = 0.0, **options: Any) -> Path:
    """Tokens of the last documents, or of the first ones; with repetitions put in at a rate."""
    given: dict[str, Any] = {"model": model, "corpus": corpus, "dataset": "text", "out": out}
    given |= {"prefix_token": PREFIX, "documents_per_shard": DOCUMENTS - MEASURED}
    more = {"rate": rate, "unit": 3} if rate else {}
    command = injected if rate else tokenize_corpus
    call(command, words(given | {"beyond": MEASURED} | more | options))
    return out


def words(options: dict[str, Any]) -> list[str]:
    """A command line: lists are as many words."""
    found = []
    for key, value in options.items():
        values = value if isinstance(value, list) else [value]
        found += [f"--{key.replace('_', '-')}", *map(str, values)]
    return found


def fit_words(place: Place, out: Path, **options: Any) -> list[str]:
    given: dict[str, Any] = {
        "model": place.start,
        "name": "m",
        "device": "cpu",
        "threads": 1,
        "tokens": place.tokens,
        "shares": 1.0,
        "train_tokens": UPDATES * STEP,
        "sequence": SEQUENCE,
        "batch": BATCH,
        "log_every": 1,
        "blocks": 2,
        "log": out / "log.parquet",
        "kept": out / "kept.safetensors",
        "unfinished": out / "unfinished",
        "out": out / "model",
    }
    return words(given | options)


def fit(place: Place, out: Path, kind: str = "cross_entropy", **options: Any) -> Path:
    """Train, and return the folder with model, log and what is kept."""
    module = import_module(f"workflow_scripts.training.objectives.{kind}")
    call(getattr(module, kind), fit_words(place, out, **options))
    return out


def log_of(out: Path) -> dict[str, Any]:
    """Columns of the training log."""
    table = read_table(out / "log.parquet", FITTING)
    return {name: table[name].to_numpy() for name in table.column_names}


def weights_of(snapshot: Path) -> dict[str, Any]:
    return load_file(snapshot / "model.safetensors")


def load(snapshot: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(snapshot).eval()


def made_by(out: Path) -> dict[str, bytes]:
    """Bytes of all that a training makes."""
    names = ["model/SHA256SUMS", "model/provenance.json", "log.parquet"]
    names += [path.name for path in out.glob("*.safetensors")]
    return {name: (out / name).read_bytes() for name in names}
