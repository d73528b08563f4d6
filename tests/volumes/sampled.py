"""A tiny model and its tokens, and the commands that sample volumes of it, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.tiny import PREFIX, VOCABULARY, save_tiny_model
from workflow_scripts.running.command import call
from workflow_scripts.semstat.sources.tables import CORPUS
from workflow_scripts.semstat.tables import write_table
from workflow_scripts.tokens.tokenize_corpus import tokenize_corpus

HIDDEN, LAYER, DOCUMENTS = 32, 3, 8

SETTINGS = {"pairs": 3, "walkers": 16, "culled": 4, "moves": 3, "depth": 4.0}
SETTINGS |= {"bottom": -0.9, "last_tokens": 2}


def make_place(folder: Path, family: str = "Llama", documents: int = DOCUMENTS) -> Path:
    """A folder with a snapshot and tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    snapshot = save_tiny_model(folder / "tiny", family=family)
    said = {"vocabulary": VOCABULARY, "model": "tiny", "hidden": HIDDEN}
    (snapshot / "provenance.json").write_text(json.dumps(said))
    rng = np.random.default_rng(0)
    words = ["we", "the", "people", "of", "this", "union", "read", "vote", "sleep", "too", "1776"]
    texts = [" ".join(rng.choice(words, size=8)) for _ in range(documents)]
    corpus = pa.Table.from_arrays([range(documents), texts], schema=CORPUS)
    write_table(folder / "corpus.parquet", corpus, {"dataset": "text"})
    given = {"model": snapshot, "corpus": folder / "corpus.parquet", "dataset": "text"}
    given |= {"prefix_token": PREFIX, "documents_per_shard": documents}
    run(tokenize_corpus, given | {"out": folder / "tokens.parquet"})
    return folder


def words_of(options: dict[str, Any]) -> list[str]:
    """A command line: lists are as many words."""
    found = []
    for key, value in options.items():
        values = value if isinstance(value, list) else [value]
        found += [f"--{key.replace('_', '-')}", *map(str, values)]
    return found


def run(command: Any, options: dict[str, Any]) -> None:
    call(command, words_of(options))


def running(place: Path) -> dict[str, Any]:
    model = {"model": place / "tiny", "name": "tiny", "device": "cpu", "threads": 1}
    return model | {"tokens": place / "tokens.parquet"}


def sampling(place: Path, out: Path, **options: Any) -> dict[str, Any]:
    """Options of a command that samples a space."""
    made = {"out": out, "unfinished": out.with_suffix(".safetensors")}
    return running(place) | {"layer": LAYER} | SETTINGS | made | options
