"""What tests of records share: the jobs of the tiny study, and a finished run."""

import pytest

from workflow_scripts.verify import planned


@pytest.fixture(scope="module")
def jobs(pristine):
    """Every job of the tiny study, as planned in a folder as deep as those of the tests."""
    found = planned([f"--directory={pristine.work}", f"--configfile={pristine.work}/study.yaml"])
    assert len(found) == 40
    return found


@pytest.fixture
def work(altered, monkeypatch):
    """The working folder of a copy of the finished run, entered."""
    monkeypatch.chdir(altered.work)
    return altered.work
