"""What tests of runs share: jobs and records of a finished one, and one that is to be disturbed."""

import pytest

from tests.running.disturbed import digests, forget
from tests.runs import Place
from workflow_scripts.verify import planned


@pytest.fixture(scope="session")
def jobs(pristine):
    """Every job of the tiny study, as planned in a folder as deep as those of the tests."""
    found = planned([f"--directory={pristine.work}", f"--configfile={pristine.work}/study.yaml"])
    assert len(found) == 47
    return found


@pytest.fixture
def work(altered, monkeypatch):
    """The working folder of a copy of the finished run, entered."""
    monkeypatch.chdir(altered.work)
    return altered.work


@pytest.fixture(scope="module")
def undisturbed(finished) -> dict[str, str]:
    """Digests of the files that the target needs, from the run that nothing disturbed."""
    whole = digests(finished.work / "results")
    of_target = ("models/tiny/", "corpora/text.", "wells/model=tiny/dataset=text.")
    needed = ["provenance.json"]
    for name in whole:
        result = name.removeprefix(".records/")
        if result.startswith(of_target) or (
            "model=tiny/dataset=text/" in result and not result.startswith("figures/")
        ):
            needed.append(name)
    results, records = 6 + 1 + 1 + 2 * (1 + 3 + 1) + 3, 1 + 1 + 1 + 2 * 3
    assert len(needed) == results + records + 1
    return {name: whole[name] for name in needed}


@pytest.fixture
def place(finished, undisturbed, tmp_path) -> Place:
    """A clone and the sources that the target needs, nothing made of them yet."""
    place = finished.copy(tmp_path)
    forget(place)
    return place
