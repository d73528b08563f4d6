"""Shards of tokens as the commands that run a model read them: windows, and beginnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cyclopts import Parameter
from numpy.typing import NDArray

from ..semstat.errors import InputError
from ..semstat.models.first_state import FEWEST_TOKENS, FIRST_STATE
from ..semstat.models.windows import Window, cut_windows
from ..semstat.provenance import Provenance
from ..semstat.tables import provenance_of, read_table
from ..semstat.tokens.tables import TOKENS

Tokens = NDArray[np.int32]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Cut:
    """How documents are cut into windows.

    Parameters
    ----------
    context : positions that the model sees at once.
    stride : positions between the starts of two windows, at most `context`.
    """

    context: int = 1024
    stride: int = 512

    def windows(self, tokens: pq.ParquetFile) -> Iterator[Window]:
        """Windows of a shard's documents, in order."""
        for doc, tokens_t in _documents(tokens):
            yield from cut_windows(doc, tokens_t, self.context, self.stride)


def check_tokens(path: Path, tokens: pq.ParquetFile, vocabulary: int) -> int:
    """Number of states in a shard of tokens, each document and id of which is in order.

    Raises
    ------
    InputError
        If a document has no state, or a token that the model does not know.
    """
    states = 0
    for doc, tokens_t in _documents(tokens):
        if len(tokens_t) < FEWEST_TOKENS:
            raise InputError(
                f"{path}: document {doc} has fewer than two tokens after the prefix token, and a "
                f"state needs two; leave it out of the corpus (min_characters)"
            )
        if not 0 <= tokens_t.min() <= tokens_t.max() < vocabulary:
            raise InputError(
                f"{path}: document {doc} has tokens {tokens_t.min()} to {tokens_t.max()}, beyond "
                f"the model's vocabulary of {vocabulary}; delete the file and run snakemake again"
            )
        states += len(tokens_t) - 1 - FIRST_STATE
    return states


def check_held_out(
    path: Path,
    tokens: pq.ParquetFile,
    trained_on: Iterable[Mapping[str, Any]],
    whom: str,
    more: str,
) -> None:
    """Check that a shard holds no document which something was trained on.

    Parameters
    ----------
    trained_on : the provenance of a corpus, and the `first_document` from which on it was taken.
    whom : what was trained, in words.
    more : what else to lower than the dataset's shards.

    Raises
    ------
    InputError
        If it holds one.
    """
    corpus = provenance_of(tokens.schema_arrow).get("corpus")
    first = min((on["first_document"] for on in trained_on if on["corpus"] == corpus), default=None)
    if first is None:
        return
    last = pc.max(tokens.read(columns=["doc"])["doc"]).as_py()
    if last >= first:
        raise InputError(
            f"{path}: document {last} is one of those that {whom} was trained on ({first} and on); "
            f"lower {more} or the `shards` that are measured"
        )


def _documents(tokens: pq.ParquetFile) -> Iterator[tuple[int, Tokens]]:
    for batch in tokens.iter_batches(batch_size=256):
        for doc, tokens_t in zip(batch["doc"].to_pylist(), batch["tokens"], strict=True):
            yield doc, tokens_t.values.to_numpy()


class Beginnings(NamedTuple):
    """The first tokens of some documents.

    doc : their numbers in the corpus.
    ids_dt : (documents, tokens) the prefix token first.
    provenance : of the tokens.
    """

    doc: list[int]
    ids_dt: NDArray[np.int64]
    provenance: Provenance


def read_beginnings(shards: Sequence[Path], documents: int, tokens: int, remedy: str) -> Beginnings:
    """The first so many tokens, without prefix, of the first so many documents that have them.

    Raises
    ------
    InputError
        If there are too few of them; it ends with the remedy.
    """
    doc, found = [], []
    for path in shards:
        table = read_table(path, TOKENS)
        for number, tokens_t in zip(*table.to_pydict().values(), strict=True):
            if len(tokens_t) > tokens:
                doc.append(number)
                found.append(tokens_t[: tokens + 1])
    provenance = provenance_of(table.schema)
    if len(doc) < documents:
        raise InputError(
            f"datasets.{provenance['dataset']}: {len(doc)} documents have {tokens} tokens, and "
            f"{documents} of them are wanted; {remedy}"
        )
    ids_dt = np.array(found[:documents], dtype=np.int64)
    return Beginnings(doc[:documents], ids_dt, provenance)
