"""The tiny study with an entry to steer, and commands on a tiny model's tokens, in this process."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.runs import TINY_STUDY, Place
from tests.tiny import VOCABULARY, save_tiny_model
from workflow_scripts.running.command import call
from workflow_scripts.semstat.tables import write_table
from workflow_scripts.semstat.tokens.tables import TOKENS

PAIR = "model=tiny/dataset=text"
STEERING: dict[str, Any] = {
    "model": "tiny",
    "dataset": "text",
    "layers": [1, 3],
    "documents": 6,
    "position": 9,
    "quantities": ["correct", "entropy"],
    "effects": [0.01, 0.2],
    "directions": 2,
}


def steered_study() -> dict[str, Any]:
    return copy.deepcopy(TINY_STUDY) | {"steering": [copy.deepcopy(STEERING)]}


def rows_of(place: Place, table: str) -> list[dict[str, Any]]:
    """Rows of a table of that pair, named by stage and kind."""
    path = place.work / f"results/{table}/{PAIR}.parquet"
    rows: list[dict[str, Any]] = pq.ParquetFile(path).read().to_pylist()
    return rows


def runner(folder: Path) -> Callable[..., Path]:
    """Runs a command on a snapshot and a shard of three documents, the last of them short."""
    snapshot = save_tiny_model(folder / "tiny")
    (snapshot / "provenance.json").write_text(json.dumps({"vocabulary": VOCABULARY}))
    tokens = [list(range(1, 40)), list(range(2, 50)), [0, 1]]
    table = pa.Table.from_pydict({"doc": [0, 1, 2], "tokens": tokens}, schema=TOKENS)
    write_table(folder / "tokens.parquet", table, {"dataset": "text"})
    given = ["--model", snapshot, "--tokens", folder / "tokens.parquet"]
    given += ["--device", "cpu", "--out", folder / "out.parquet"]

    def run(command: Callable[..., None], *options: object) -> Path:
        call(command, [*map(str, [*given, *options])])
        return folder

    return run
