"""A model of the hub is the pinned one, checked, and needs no network once it is cached."""

import hashlib
import json
import time

import pytest

from tests.runs import complaint
from tests.sources.fetching import PIPED, fetch_model
from tests.tiny import BLOCKS
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.fetch_hub_model import check_blobs

REVISION = "0123456789" * 4
HUB = {"source": "hub", "hub": "owner/name", "revision": REVISION, "blocks": BLOCKS}


def run(folder, **environment):
    given = ["--hub=owner/name", f"--revision={REVISION}", f"--blocks={BLOCKS}"]
    return fetch_model("fetch_hub_model", folder, *given, **environment)


def hub_cache(folder, repository):
    """A folder as the hub's client keeps it: links to files that are named after their digests."""
    snapshot = repository / "snapshots" / REVISION
    for made in (snapshot, repository / "blobs"):
        made.mkdir(parents=True)
    for file in folder.iterdir():
        content = file.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        large = file.suffix == ".safetensors"
        name = (hashlib.sha256(content) if large else git).hexdigest()
        (repository / "blobs" / name).write_bytes(content)
        (snapshot / file.name).symlink_to(repository / "blobs" / name)
    return snapshot


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_download_with_another_digest_is_refused(saved, tmp_path, name):
    snapshot = hub_cache(saved, tmp_path / "models--owner--name")
    check_blobs("models.x.hub", snapshot)
    content = bytearray((snapshot / name).read_bytes())
    content[40] ^= 1
    (snapshot / name).resolve().write_bytes(content)
    with pytest.raises(
        InputError, match=rf"^models\.x\.hub: {name} is not what the hub has .*; del"
    ):
        check_blobs("models.x.hub", snapshot)


def test_a_cached_hub_model_needs_no_network(saved, snapshot, tmp_path):
    repository = tmp_path / "home" / "hub" / "models--owner--name"
    hub_cache(saved, repository)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(REVISION)
    said = run(tmp_path, HF_HOME=str(tmp_path / "home"))
    assert said.code == 0, said.text
    made = tmp_path / "models/tiny"
    assert (made / "SHA256SUMS").read_text() == (snapshot / "SHA256SUMS").read_text()
    assert json.loads((made / "provenance.json").read_text())["source"] == HUB


def test_a_hub_out_of_reach_is_one_sentence(tmp_path):
    started = time.monotonic()
    said = run(tmp_path, HF_HOME=str(tmp_path / "cache"), **PIPED)
    sentence = complaint(said, "models.tiny.hub", "owner/name at 012345678901", "check the network")
    assert time.monotonic() - started < 60
    assert sentence.startswith("error: models.tiny.hub: cannot fetch owner/name at 012345678901 ")
    assert sentence.endswith("or fetch it once on a host with a network and set HF_HUB_OFFLINE=1")
    assert not (tmp_path / "models").exists()
