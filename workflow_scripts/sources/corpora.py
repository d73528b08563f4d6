"""Corpora: one Parquet file of documents, whatever the source."""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from cyclopts import Parameter

from ..running.command import progress
from ..semstat.errors import InputError
from ..semstat.provenance import Provenance
from ..semstat.sources.tables import CHATS, CORPUS
from ..semstat.tables import write_table
from .document_files import Document, said_in, stored

log = logging.getLogger(__name__)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which documents are taken, and in which order.

    Parameters
    ----------
    text_column : column or key that holds the text, or messages, in Parquet, JSON Lines and hub
        data.
    min_characters : documents shorter than this are left out.
    distinct_characters : documents that begin with the same so many characters count as one
        (default: those that are the same from beginning to end).
    shuffle_seed : seed of the order of the documents (default: the source's order).
    """

    text_column: str = "text"
    min_characters: int = 1
    distinct_characters: int | None = None
    shuffle_seed: int | None = None


@dataclass
class Sieve:
    """Lets each document through once, unless it is too short or nothing but white space.

    Copies of one text would pass for independent ones, and the error bars shrink.
    """

    selection: Selection
    short: int = 0
    copies: int = 0
    example: str = ""
    seen: set[bytes] = field(default_factory=set)

    def lets_through(self, document: Document) -> bool:
        said, first = said_in(document), self.selection.distinct_characters
        if len(said) < self.selection.min_characters or not said.strip():
            self.short += 1
            return False
        text = said[:first] if first else stored(document)
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        if digest in self.seen:
            self.copies += 1
            self.example = self.example or " ".join(said[:60].split())
            return False
        self.seen.add(digest)
        return True

    def left_out(self) -> str:
        """What was not let through; empty if nothing."""
        short = f"{self.short} too short" if self.short else ""
        copies = f"{self.copies} copies of others, such as {self.example!r}" if self.copies else ""
        return " and ".join(filter(None, [short, copies]))


def write_corpus(
    name: str,
    source: dict[str, Any],
    documents: Iterable[Document],
    selection: Selection,
    out: Path,
    most: int | None = None,
    shuffled: bool = False,
) -> None:
    """Filter, order and save the documents of one corpus.

    Parameters
    ----------
    name : of the dataset in the configuration.
    source : keys of its entry that say where it comes from.
    documents : as they come from there.
    selection : which of them are taken, and in which order.
    out : Parquet file to make.
    most : documents to take; by default all.
    shuffled : whether they come in the order of the seed already.

    Raises
    ------
    InputError
        If there are too few documents for an error bar, or texts among conversations.
    """
    sieve = Sieve(selection)
    taken: list[Document] = []
    with progress(name, "documents", total=most) as bar:
        for document in itertools.islice(filter(sieve.lets_through, documents), most):
            taken.append(document)
            bar.update()
    left_out = sieve.left_out()
    if len(taken) < 2:
        raise InputError(
            f"datasets.{name}: the corpus is {'one document' if taken else 'empty'} "
            f"({left_out or 'none'} left out), and error bars come from the scatter between "
            f"documents; check its source, `text_column`, `min_characters` and "
            f"`distinct_characters`"
        )
    if left_out:
        log.warning("datasets.%s: left out %s", name, left_out)
    chats = {isinstance(document, list) for document in taken}
    if len(chats) == 2:
        raise InputError(
            f"datasets.{name}.text_column: {selection.text_column!r} holds texts and lists of "
            f"messages; make a dataset of each"
        )
    if selection.shuffle_seed is not None and not shuffled:
        order = np.random.default_rng(selection.shuffle_seed).permutation(len(taken))
        taken = [taken[index] for index in order]
    schema = CHATS if True in chats else CORPUS
    columns = dict(zip(schema.names, [range(len(taken)), map(stored, taken)], strict=True))
    table = pa.Table.from_pydict({key: list(column) for key, column in columns.items()}, schema)
    chosen = {key: value for key, value in vars(selection).items() if value is not None}
    provenance = Provenance(dataset=name, source=source | chosen)
    write_table(out, table, provenance.then("fetched by", "pyarrow", "datasets"))
