"""The command that streams a corpus from the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..running.command import run
from ..semstat.errors import InputError, first_line
from .corpora import Selection, write_corpus
from .document_files import Document, document_in

SHUFFLE_BUFFER = 10_000
"""Documents held in memory to shuffle a stream."""


def stream_hub_corpus(
    *,
    name: str,
    hub: str,
    revision: str,
    subset: str | None = None,
    split: str,
    documents: int,
    selection: Selection = Selection(),
    out: Path,
) -> None:
    """Make a corpus of the first documents of a data set at a pinned revision of the hub.

    Parameters
    ----------
    name : name of the dataset in the configuration.
    hub : repository on the hub.
    revision : full commit hash there.
    subset : configuration of the hub's dataset.
    split : its split.
    documents : documents to take.
    out : Parquet file to make.
    """
    source: dict[str, Any] = {"source": "hub", "hub": hub, "revision": revision, "split": split}
    source |= {"subset": subset} if subset else {}
    source["documents"] = documents
    found = stream(f"datasets.{name}", hub, revision, subset, split, selection)
    write_corpus(name, source, found, selection, out, most=documents, shuffled=True)


def stream(
    key: str, hub: str, revision: str, subset: str | None, split: str, selection: Selection
) -> Iterator[Document]:
    """Documents streamed from the hub, shuffled within a buffer if there is a seed."""
    import datasets  # takes seconds to import

    try:
        rows = datasets.load_dataset(hub, subset, split=split, revision=revision, streaming=True)
        if selection.shuffle_seed is not None:
            rows = rows.shuffle(seed=selection.shuffle_seed, buffer_size=SHUFFLE_BUFFER)
        for row in rows:
            yield document_in(key, selection.text_column, row, hub)
    except InputError:
        raise
    except Exception as error:
        # `datasets` raises anything from OSError to httpx errors where the hub is out of reach.
        raise InputError(
            f"{key}.hub: cannot stream {hub} ({split}) from the hub ({first_line(error)}); "
            f"check the network, the name, `subset`, `split` and `revision`"
        ) from error


if __name__ == "__main__":
    run(stream_hub_corpus)
