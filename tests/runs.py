"""Runs of the real command line on a tiny study: what it would do, what it did, what it said."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from tests.tiny import BLOCKS, PREFIX, save_tiny_model

REPO = Path(__file__).parent.parent

SOURCES = ["Snakefile", "config.yaml", "rules", "workflow_scripts", "schemas", "profiles"]
SOURCES += ["report", "envs"]
"""What a run needs of this repository."""

CHECKED = ["README.md", "CHANGELOG.md", "pyproject.toml", "docs", "tests", "benchmarks"]
"""What its checks and its pages need besides."""

SHARED_RULES = {"common", "pairs", "resources", "tables"}
"""Files of rules that are no stage's."""

STAGES = sorted({path.stem for path in (REPO / "rules").glob("*.smk")} - SHARED_RULES)

NO_NETWORK = {
    "HF_HUB_OFFLINE": "1",
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "MPLBACKEND": "agg",
}
"""An environment in which whatever needs the network fails at once."""

TOKEN = "hf_" + "SeCrEt" * 5
"""A credential in the environment of every run of the workflow, which no file may hold."""

TINY_STUDY: dict[str, Any] = {
    "measurement": {"layers": [0, 1, 3], "context": 48, "stride": 24},
    "models": {
        "tiny": {
            "source": "path",
            "path": "inputs/tiny",
            "blocks": BLOCKS,
            "prefix_token": PREFIX,
        },
        "tiny-random": {"source": "random", "like": "tiny", "seed": 1},
    },
    "datasets": {
        "text": {
            "source": "path",
            "files": "inputs/texts/*.txt",
            "documents_per_shard": 4,
            "shards": 2,
        },
        "text-shuffled": {
            "source": "ensemble",
            "of": "text",
            "ensemble": "shuffled",
            "documents_per_shard": 4,
        },
        "text-uniform": {
            "source": "ensemble",
            "of": "text",
            "ensemble": "uniform",
            "documents_per_shard": 4,
        },
    },
    "curves": {"resamples": 50},
}

PAIRS = [
    [
        {"model": "tiny", "dataset": "text", "layer": 0},
        {"model": "tiny-random", "dataset": "text", "layer": 1},
    ],
    [
        {"model": "tiny", "dataset": "text"},
        {"model": "tiny", "dataset": "text-shuffled", "layer": "final"},
    ],
]
"""Ensembles of it to compare."""

DOCUMENTS = 12
"""Documents in the tiny corpus: a shard more than the tiny study measures."""


def changed(key: str, value: Any) -> dict[str, Any]:
    """A tiny study with one key, given as a path, changed.

    >>> changed("models/tiny/blocks", 7)["models"]["tiny"]["blocks"]
    7
    """
    study = copy.deepcopy(TINY_STUDY)
    *folders, last = key.split("/")
    entry = study
    for name in folders:
        entry = entry[name]
    entry[last] = value
    return study


class Said(NamedTuple):
    """What a command line left behind."""

    code: int
    text: str


class Place(NamedTuple):
    """A clone of this repository, and beside it the folder where its results are made."""

    clone: Path
    work: Path

    @classmethod
    def under(cls, folder: Path) -> Place:
        return cls(folder / "clone", folder / "work")

    def copy(self, folder: Path) -> Place:
        """All of it elsewhere: inputs, results and records, with their dates."""
        shutil.copytree(self.work.parent, folder, dirs_exist_ok=True)
        return Place.under(folder)

    def snakemake(self, *arguments: str, study: dict[str, Any] | str | None = None) -> Said:
        """Run the command line in the working folder, with another study if one is given."""
        if study is not None:
            text = study if isinstance(study, str) else yaml.safe_dump(study, sort_keys=False)
            (self.work / "study.yaml").write_text(text)
        return snakemake(
            *arguments, directory=self.work, configfile=self.work / "study.yaml", repo=self.clone
        )

    def would_run(self, *arguments: str, study: dict[str, Any] | None = None) -> set[str]:
        """Messages of the jobs that a dry run announces."""
        said = self.snakemake("--dry-run", *arguments, study=study)
        assert said.code == 0, said.text
        jobs = announced(said.text)
        assert bool(jobs) != ("Nothing to be done" in said.text), said.text
        return jobs

    def run(self, *arguments: str, study: dict[str, Any] | None = None) -> set[str]:
        """Messages of the jobs that a run, which must succeed, has run."""
        said = self.snakemake("--cores", "2", *arguments, study=study)
        assert said.code == 0, said.text
        return announced(said.text)


def make_place(folder: Path) -> Place:
    """A clone and the inputs of the tiny study, nothing run yet."""
    place = Place.under(folder)
    clone(place.clone)
    save_tiny_model(place.work / "inputs" / "tiny")
    write_texts(place.work / "inputs" / "texts", DOCUMENTS)
    (place.work / "study.yaml").write_text(yaml.safe_dump(TINY_STUDY, sort_keys=False))
    return place


def clone(folder: Path, names: Sequence[str] = SOURCES) -> None:
    """Copy sources of this repository as `git clone` would: dated now."""
    for name in names:
        source = REPO / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(source, folder / name, copy_function=shutil.copyfile, ignore=ignored)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / name)


def write_texts(folder: Path, documents: int) -> None:
    """Short texts in which words recur."""
    rng = np.random.default_rng(0)
    words = ["we", "the", "people", "of", "this", "union", "read", "vote", "sleep", "too", "1776"]
    folder.mkdir(parents=True, exist_ok=True)
    for document in range(documents):
        text = " ".join(rng.choice(words, size=rng.integers(8, 20)))
        (folder / f"{document:02d}.txt").write_text(text)


def snakemake(
    *arguments: str,
    directory: Path,
    configfile: Path,
    repo: Path = REPO,
    environment: dict[str, str] = NO_NETWORK | {"HF_TOKEN": TOKEN},
) -> Said:
    """Run Snakemake's command line and return what it printed."""
    command = [sys.executable, "-m", "snakemake", f"--snakefile={repo / 'Snakefile'}"]
    command += [f"--directory={directory}", f"--configfile={configfile}", "--nocolor"]
    return said([*command, *arguments], directory, environment)


def command(name: str, *arguments: str | Path, cwd: Path, **environment: str) -> Said:
    """Run one of the workflow's commands, offline, and return what it printed."""
    environment = NO_NETWORK | {"PYTHONPATH": str(REPO)} | environment
    return said([sys.executable, "-m", f"workflow_scripts.{name}", *arguments], cwd, environment)


def said(command: list[str | Path], cwd: Path, environment: dict[str, str]) -> Said:
    run = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Said(run.returncode, run.stdout)


def announced(text: str) -> set[str]:
    """Messages of the jobs in Snakemake's output, without that of the final target."""
    jobs = set(re.findall(r"^(?: *Job \d+:|\d\d:\d\d:\d\d +\d+/\d+ ) (.*)$", text, re.MULTILINE))
    return {job for job in jobs if not job.startswith("Done: ")}


def complaint(said: Said, *words: str) -> str:
    """The one sentence of a command that refused, which must hold all `words`."""
    assert said.code == 1, said.text
    assert "Traceback" not in said.text, said.text
    errors = [line for line in said.text.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, said.text
    assert said.text.rstrip().endswith(errors[0]), said.text
    for word in words:
        assert word in errors[0], said.text
    return errors[0]
