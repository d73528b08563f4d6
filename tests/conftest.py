"""What tests of the whole workflow share: one finished run of a tiny study."""

from __future__ import annotations

import pytest
from filelock import FileLock

from tests.runs import Place, make_place


@pytest.fixture(scope="session")
def pristine(tmp_path_factory) -> Place:
    """A clone and the inputs of the tiny study; not to be altered."""
    return make_place(tmp_path_factory.mktemp("pristine"))


@pytest.fixture(scope="session")
def finished(pristine, tmp_path_factory, worker_id) -> Place:
    """The tiny study, run to the end, once for all test processes; not to be altered."""
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        folder = folder.parent
    done = folder / "finished.done"
    with FileLock(folder / "finished.lock"):
        if done.exists():
            return Place.under(folder / "finished")
        place = pristine.copy(folder / "finished")
        place.run()
        done.touch()
        return place


@pytest.fixture
def altered(finished, tmp_path_factory) -> Place:
    """A copy of the finished run, to do with as one likes."""
    return finished.copy(tmp_path_factory.mktemp("altered"))
