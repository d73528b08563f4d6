"""The jobs of a study beside the records of those that have run: what is not as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..semstat.provenance import digest
from .code import PACKAGE, code_of, digest_of
from .jobs import Job
from .records import Record, essential_command, record_of


class Finding(NamedTuple):
    """What is wrong with the results of one job.

    state : missing, unrecorded, damaged or stale.
    path : one of its results.
    why : a phrase.
    """

    state: str
    path: str
    why: str


class Study:
    """What is planned, what is recorded, and what is there.

    Parameters
    ----------
    jobs : all jobs of the study.
    records : by their files.
    deep : read every result, instead of looking at its size only.
    """

    def __init__(self, jobs: list[Job], records: Mapping[Path, Record], deep: bool) -> None:
        self.jobs = jobs
        self.deep = deep
        # One code serves many jobs, and one input too.
        self.code_of = cache(code_of)
        self.code_digest_of = _where_there(digest_of)
        self.digest_of = _where_there(digest)
        self.records = {path: records[path] for path in map(record_of, jobs) if path in records}
        planned = {path for job in jobs for path in job.outputs}
        # Targets made by name only, and what another configuration has left.
        self.left_over = [
            record | {"outputs": outputs}
            for file, record in records.items()
            if file not in self.records and (outputs := _existing(record, planned))
        ]
        self.recorded = {
            path: found
            for record in [*self.records.values(), *self.left_over]
            for path, (_, found) in record["outputs"].items()
        }

    def check(self, advance: Callable[[], object] = lambda: None) -> list[Finding]:
        """What is wrong with the jobs of the study, at most one finding for each."""
        return _all(self._check_job, self.jobs, advance)

    def check_left_over(self, advance: Callable[[], object] = lambda: None) -> list[Finding]:
        """What is wrong with results that the study does not ask for."""
        return _all(self._check_record, self.left_over, advance)

    def _check_job(self, job: Job) -> Finding | None:
        record = self.records.get(record_of(job))
        for path in job.outputs:
            if not Path(path).is_file():
                return Finding("missing", path, "not there" if record else "not made yet")
        first = job.outputs[0]
        if record is None:
            return Finding("unrecorded", first, "nothing tells what made it")
        # What another configuration has asked for as well need not be there any more.
        asked = {path: made for path, made in record["outputs"].items() if path in job.outputs}
        if damage := self._damage(asked):
            return damage
        code = set(self.code_of(job.command[0], *job.plugs))
        changes = [
            *_differences("output", record["outputs"].keys(), set(job.outputs)),
            *_differences("code", record["code"].keys(), code),
            *_differences("input", record["inputs"].keys(), set(job.inputs)),
            *self._changes(record),
            *_other_words(record["command"], essential_command(job)),
        ]
        return Finding("stale", first, _some(changes)) if changes else None

    def _check_record(self, record: Record) -> Finding | None:
        changes = self._changes(record)
        if changes:
            return Finding("stale", next(iter(record["outputs"])), _some(changes))
        return self._damage(record["outputs"])

    def _damage(self, outputs: Mapping[str, list[Any]]) -> Finding | None:
        for path, (size, recorded) in outputs.items():
            found = Path(path).stat().st_size
            if found != size:
                return Finding("damaged", path, f"{found} bytes, but {size} when it was made")
            if self.deep and digest(Path(path)) != recorded:
                return Finding("damaged", path, "other bytes than when it was made")
        return None

    def _changes(self, record: Record) -> list[str]:
        """Code and inputs that are not what a job has taken."""
        here = {name: self.code_digest_of(PACKAGE.parent / name) for name in record["code"]}
        for path in record["inputs"]:
            here[path] = self.recorded.get(path) or self.digest_of(Path(path))
        taken = record["code"] | record["inputs"]
        return [
            f"{name} {'has changed' if here[name] else 'is gone'}"
            for name in taken
            if here[name] != taken[name]
        ]


def _existing(record: Record, planned: set[str]) -> dict[str, list[str | int]]:
    """Results in a record that are there and that no job of the study makes."""
    return {
        path: made
        for path, made in record["outputs"].items()
        if path not in planned and Path(path).is_file()
    }


def _all(
    check: Callable[..., Finding | None], items: Iterable[object], advance: Callable[[], object]
) -> list[Finding]:
    findings = []
    with ThreadPoolExecutor() as pool:
        for finding in pool.map(check, items):
            findings += [finding] if finding else []
            advance()
    return findings


def _where_there(digest: Callable[[Path], str]) -> Callable[[Path], str | None]:
    """Digests of files, remembered; None of those that are gone."""
    return cache(lambda path: digest(path) if path.is_file() else None)


def _differences(kind: str, recorded: Iterable[str], planned: set[str]) -> list[str]:
    recorded = set(recorded)
    return [f"{kind} {path} is new" for path in sorted(planned - recorded)] + [
        f"{kind} {path} is no longer asked for" for path in sorted(recorded - planned)
    ]


def _other_words(recorded: list[str], planned: list[str]) -> list[str]:
    """How two commands differ, or that they do."""
    if recorded == planned:
        return []
    old = [f"`{word}`" for word in (Counter(recorded) - Counter(planned)).elements()]
    new = [f"`{word}`" for word in (Counter(planned) - Counter(recorded)).elements()]
    return [
        f"made with {_some(old) or 'other words'}, which would now be {_some(new) or 'left out'}"
    ]


def _some(phrases: list[str], most: int = 3) -> str:
    more = f" and {len(phrases) - most} more" if len(phrases) > most else ""
    return ", ".join(phrases[:most]) + more
