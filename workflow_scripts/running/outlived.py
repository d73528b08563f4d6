"""Results that outlive their configuration, and results that others were made of and that are gone.

A whole tree of results reads as one table, so what a configuration no longer has, such as a layer,
would be read among the rest. This goes by the names of files: 200,000 take two seconds.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from .records import RECORDS, RESULTS

ASIDE = RESULTS / ".set_aside"
"""Where results are moved that are set aside: out of every tree that is read as one table."""

PARTITION = re.compile(r"(?P<kind>model|dataset|layer|shard)(?P<side>|_a|_b)=(?P<value>.*)")

PAIRED = ("steering", "decoding")
"""Folders of the pairs of model and dataset that the configuration's key of that name has."""

NAMED = 3
"""Files that a warning names; it counts the others."""

Partitions = dict[str, str]


class Asked:
    """Which partitions a configuration has.

    Parameters
    ----------
    study : the configuration with every default filled in.
    """

    def __init__(self, study: dict[str, Any]) -> None:
        self.layers = {name: {*map(str, spec["layers"])} for name, spec in study["models"].items()}
        self.shards = {name: spec["shards"] for name, spec in study["datasets"].items()}
        self.pairs = {
            stage: {(spec["model"], spec["dataset"]) for spec in study[stage]} for stage in PAIRED
        }

    def below(self, above: Partitions, name: str) -> Partitions | None:
        """Partitions of a folder, or of a file without its ending; None if there are no such.

        Parameters
        ----------
        above : those of the folder that it lies in.
        """
        if name in PAIRED:
            return above | {"paired": name}
        found = PARTITION.fullmatch(name)
        if found is None:
            return above
        kind, side, value = found["kind"], found["side"], found["value"]
        model, dataset = above.get(f"model{side}", ""), above.get(f"dataset{side}", "")
        there = {
            "model": value in self.layers,
            "dataset": value in self.shards
            and ("paired" not in above or (model, value) in self.pairs[above["paired"]]),
            "layer": value in self.layers.get(model, ()),
            "shard": value.isdecimal() and int(value) < self.shards.get(dataset, 0),
        }
        return above | {f"{kind}{side}": value} if there[kind] else None

    def __contains__(self, path: str) -> bool:
        """Whether the configuration has all partitions in the path of a result."""
        partitions: Partitions | None = {}
        *folders, file = path.split("/")
        for name in [*folders, _without_ending(file)]:
            partitions = self.below(partitions or {}, name)
            if partitions is None:
                return False
        return True


class Results:
    """What lies in results/.

    outlived : topmost files and folders, and records of jobs, that the configuration does not have.
    files : all other files.

    Parameters
    ----------
    study : the configuration with every default filled in.
    """

    def __init__(self, study: dict[str, Any]) -> None:
        self.asked = Asked(study)
        self.outlived: list[str] = []
        self.files: set[str] = set()
        for folder in (RESULTS, RECORDS):
            self._look_into(str(folder), {}, ".json" if folder == RECORDS else "")

    def _look_into(self, folder: str, above: Partitions, ending: str) -> None:
        entries: list[os.DirEntry[str]] = []
        with suppress(OSError), os.scandir(folder) as found:
            entries = [entry for entry in found if not entry.name.startswith(".")]
        for entry in entries:
            is_folder, name = entry.is_dir(), entry.name
            if not is_folder:
                name = _without_ending(name.removesuffix(ending))
            partitions = self.asked.below(above, name)
            if partitions is None:
                self.outlived.append(entry.path)
            elif is_folder:
                self._look_into(entry.path, partitions, ending)
            else:
                self.files.add(entry.path)

    def gone(self) -> list[str]:
        """Results that are not there, although others are that were made of them, or with them."""
        records = [path for path in self.files if path.startswith(f"{RECORDS}/")]
        with ThreadPoolExecutor() as pool:
            told = {path for paths in pool.map(self._told, records) for path in paths}
        return sorted(
            path
            for path in told - self.files
            if path.startswith(f"{RESULTS}/") and path in self.asked
        )

    def _told(self, record: str) -> Iterable[str]:
        """What a job took and made, if something that it made is there."""
        with suppress(OSError, ValueError, KeyError, TypeError):  # `verify` names what is none
            content = json.loads(Path(record).read_bytes())
            if not self.files.isdisjoint(content["outputs"]):
                return [*content["inputs"], *content["outputs"]]
        return ()


def warnings(study: dict[str, Any], options: list[str]) -> Iterator[str]:
    """What a run should know of results/ that Snakemake does not tell.

    Parameters
    ----------
    options : of Snakemake, for remedies to repeat.
    """
    results = Results(study)
    words = shlex.join(word for word in options if word not in ("-n", "--dry-run", "--dryrun"))
    outlived = sorted(path for path in results.outlived if not path.startswith(f"{RECORDS}/"))
    if outlived:
        yield (
            f"{RESULTS}/ holds what this configuration does not have, and who reads a whole tree "
            f"reads it too: {some(outlived)}. To move it away: "
            f"python -m workflow_scripts.set_aside {words}"
        )
    if gone := results.gone():
        yield (
            f"Results are gone that others were made of, or with: {some(gone)}. Snakemake does not "
            f"miss what nothing is to be made of; to make it again, name it: "
            f"snakemake --cores all -- {gone[0]}"
        )


def _without_ending(name: str) -> str:
    return name.rpartition(".")[0] or name


def some(paths: list[str]) -> str:
    """The first of some paths, and how many more there are."""
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join(paths[:NAMED]) + more


def set_aside(paths: Iterable[str], folder: Path) -> None:
    """Move results into a folder, places in results/ kept, and leave no empty folder behind."""
    for path in map(Path, paths):
        place = folder / path.relative_to(RESULTS)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, place)
        for above in path.parents:
            if above == RESULTS or any(above.iterdir()):
                break
            above.rmdir()
