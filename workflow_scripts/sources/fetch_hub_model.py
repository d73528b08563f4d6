"""The command that fetches a model from the Hugging Face hub."""

from __future__ import annotations

import hashlib
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from ..running.command import run
from ..semstat.errors import InputError, first_line
from ..semstat.provenance import digest
from .folders import load_folder
from .layout import SETTINGS
from .snapshots import write_snapshot

WANTED = ["*.safetensors", *SETTINGS]
UNWANTED = ["*/*", "consolidated*"]
"""What is never read: folders within, and a second copy of the weights in another layout."""


def fetch_hub_model(*, name: str, hub: str, revision: str, blocks: int, out: Path) -> None:
    """Make the snapshot of a model at a pinned revision of the hub, from the cache if it is there.

    Parameters
    ----------
    name : name of the model in the configuration.
    hub : repository on the hub.
    revision : full commit hash there.
    blocks : number of blocks that the model has.
    out : folder to make the snapshot in.
    """
    key = f"models.{name}.hub"
    try:
        folder = Path(
            snapshot_download(
                hub, revision=revision, allow_patterns=WANTED, ignore_patterns=UNWANTED
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(
            f"{key}: cannot fetch {hub} at {revision[:12]} from the hub ({first_line(error)}); "
            f"check the network, the name and the revision, "
            f"or fetch it once on a host with a network and set HF_HUB_OFFLINE=1"
        ) from error
    check_blobs(key, folder)
    model, tokenizer, facts = load_folder(key, folder)
    source = {"source": "hub", "hub": hub, "revision": revision}
    write_snapshot(name, source, model, tokenizer, blocks, out, **facts)


def check_blobs(key: str, folder: Path) -> None:
    """Compare the files of a hub snapshot with their digests, after which the cache names them.

    Large files have their SHA-256 there, small ones Git's SHA-1; the hub's client compares sizes.
    """
    for file in sorted(folder.rglob("*")):
        blob = file.resolve()
        if blob.parent.name != "blobs" or not blob.is_file():
            continue  # a cache without symbolic links keeps no digests
        if len(blob.name) == 64:
            found = digest(blob)
        else:
            content = blob.read_bytes()
            header = b"blob %d\0" % len(content)
            found = hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
        if found != blob.name:
            raise InputError(
                f"{key}: {file.name} is not what the hub has (digest {found}, not {blob.name}); "
                f"delete {blob} and run snakemake again"
            )


if __name__ == "__main__":
    run(fetch_hub_model)
