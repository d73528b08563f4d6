"""Records of jobs: from what, by which code and command each made its results, all by digest.

Snakemake forgets this with its folder .snakemake; a record stays with the results. A job writes its
own, on whatever node it runs, after its results are complete. It holds the digests of its inputs
and code as they were before it began, and those of the results themselves: a record that a killed
job left behind is therefore of no other file than those that it describes. It holds no time and no
place, so that a run that was disturbed leaves the same records as one that was not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..semstat.errors import InputError
from ..semstat.provenance import digest
from ..semstat.tables import write_json
from .jobs import Job

RESULTS = Path("results")
RECORDS = RESULTS / ".records"

HOW_IT_RUNS = {"--batch-tokens", "--beyond", "--device", "--shards", "--threads"}
"""Options with a value that may differ between two runs which make the same results."""

Record = dict[str, Any]
"""`code` and `inputs`: path → digest; `outputs`: path → [bytes, digest]; `command`: words."""


def record_of(job: Job) -> Path:
    """Where the record of a job lies."""
    name = Path(job.outputs[0])
    return RECORDS / name.relative_to(RESULTS).with_name(f"{name.name}.json")


def essential_command(job: Job) -> list[str]:
    """The command of a job without how it runs.

    >>> essential_command(Job("5f", [], ["c"], ["copy", "--threads", "2", "a", "--out=c"]))
    ['copy', 'a', '--out=c']
    """
    words = job.command
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not {before, word} & HOW_IT_RUNS
    ]


def digests(paths: Sequence[str]) -> dict[str, str]:
    """Digest of each file, several read at once."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(paths, pool.map(digest, map(Path, paths)), strict=True))


def write_record(job: Job, code: dict[str, str], inputs: dict[str, str]) -> None:
    """Record a job whose results are complete, with the digests of its code and inputs."""
    outputs = {
        path: [Path(path).stat().st_size, found] for path, found in digests(job.outputs).items()
    }
    content = {"command": essential_command(job), "code": code}
    write_json(record_of(job), content | {"inputs": inputs, "outputs": outputs})


def read_record(path: Path) -> Record:
    """A record, complete.

    Raises
    ------
    InputError
        If it is not one.
    """
    with suppress(ValueError):
        match json.loads(path.read_bytes()):
            case {"command": [*_], "code": {}, "inputs": {}, "outputs": {**outputs}} as record:
                if all(isinstance(about, list) and len(about) == 2 for about in outputs.values()):
                    return {key: record[key] for key in ("command", "code", "inputs", "outputs")}
    raise InputError(f"{path}: not a record of a job; delete it and verify again: `rm '{path}'`")
