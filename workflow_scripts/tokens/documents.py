"""Documents of a corpus as a model's tokens: what the commands that make tokens share."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cyclopts import Parameter
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..semstat.errors import InputError
from ..semstat.models.first_state import FEWEST_TOKENS
from ..semstat.provenance import Provenance
from ..semstat.sources.tables import CHATS, CORPUS
from ..semstat.tables import TableError, provenance_of, read_table, write_table
from ..semstat.tokens.tables import TOKENS
from .tokenizers import chat_reader, special_tokens, text_reader, tokenizer_of, unknown_token

log = logging.getLogger(__name__)

Tokens = NDArray[np.int32]

MOST_UNKNOWN = 0.5
"""Share of tokens that may stand for text which the tokenizer does not know."""

BEGINNING = 64
"""Characters by which documents are looked up that may be the same as another one."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Texts:
    """Whose tokens documents of which corpus become.

    Parameters
    ----------
    model : snapshot of the model.
    corpus : Parquet file of documents.
    dataset : name of the dataset.
    prefix_token : token put before every document.
    special_tokens_in_text : let a special token's name in a text be that token; else it is text.
    """

    model: Path
    corpus: Path
    dataset: str
    prefix_token: str
    special_tokens_in_text: bool = False

    @property
    def key(self) -> str:
        """Where the configuration speaks of them."""
        return f"datasets.{self.dataset}"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Shard:
    """Which documents are taken: shard s has s·n to (s+1)·n − 1, so adding one changes no other.

    Parameters
    ----------
    shard : number of the shard, from 0.
    documents_per_shard : documents in it.
    shards : so many there are to be in all, which must have their documents too.
    beyond : documents, from the first on, that are measured, where this shard is to train on: it
        has the last so many of the corpus, and none of those.
    """

    shard: int = 0
    documents_per_shard: int
    shards: int = 1
    beyond: int | None = None

    def within(self, texts: Texts, held: int) -> range:
        """The documents, of a corpus that holds so many.

        Raises
        ------
        InputError
            If it holds fewer than all shards need: before a model runs on the first of them. If
            one that is measured would be trained on.
        """
        if self.beyond is not None:
            return self._last_ones(texts, held, self.beyond)
        first = self.shard * self.documents_per_shard
        shards = max(self.shards, self.shard + 1)
        if shards * self.documents_per_shard > held:
            raise InputError(
                f"{texts.key}.shards: {shards} × {self.documents_per_shard} documents are asked "
                f"for, but {texts.corpus} holds {held}; lower `shards` or `documents_per_shard`"
            )
        return range(first, first + self.documents_per_shard)

    def _last_ones(self, texts: Texts, held: int, measured: int) -> range:
        first = held - self.documents_per_shard
        if first < measured:
            raise InputError(
                f"{texts.key}: {texts.corpus} holds {held} documents, and the first {measured} of "
                f"them are measured, so {self.documents_per_shard} are too many to train on; lower "
                f"how many documents that is"
            )
        return range(first, held)


class Documents(NamedTuple):
    """Documents of one shard.

    doc : their numbers in the corpus.
    tokens : the tokens of each, the prefix token first.
    tokenizer : what made them.
    provenance : of the corpus.
    alike : numbers and tokens of documents before the shard that begin as one in it does.
    """

    doc: list[int]
    tokens: list[Tokens]
    tokenizer: Tokenizer
    provenance: Provenance
    alike: Iterator[tuple[int, Tokens]]


def read_documents(
    texts: Texts, chosen: Callable[[Texts, int], range], tokens_per_document: int | None
) -> Documents:
    """Tokenize some documents of a corpus.

    Parameters
    ----------
    chosen : which, of as many as it holds.
    tokens_per_document : tokens kept of each, without prefix; None keeps all.

    Raises
    ------
    InputError
        If the corpus has too few documents, or the tokenizer no such prefix token.
    """
    corpus = read_corpus(texts.corpus)
    documents = chosen(texts, len(corpus))
    tokenizer = tokenizer_of(texts.model)
    prefix = tokenizer.token_to_id(texts.prefix_token)
    if prefix is None:
        raise InputError(
            f"models.{texts.model.name}.prefix_token: {texts.prefix_token!r} is not in "
            f"{texts.model / 'tokenizer.json'}; it has {_special_tokens(tokenizer)}"
        )
    chats = corpus.schema.names == CHATS.names
    if chats:
        read = chat_reader(texts.model, texts.special_tokens_in_text)
    else:
        read = text_reader(tokenizer, texts.special_tokens_in_text)

    def tokens_of(doc: int) -> Tokens:
        try:
            ids = read(corpus[1][doc].as_py())
        except ValueError as error:
            raise InputError(
                f"{texts.key}: document {doc} of {texts.corpus} {error}; take it out, or set "
                f"{texts.key}.special_tokens_in_text if a special token's name in it is the reason"
            ) from error
        ids = ids[1:] if chats and ids[:1] == [prefix] else ids  # the template may put it there
        return np.array([prefix, *ids[:tokens_per_document]], dtype=np.int32)

    def alike() -> Iterator[tuple[int, Tokens]]:
        # A token may be a quarter of a character: a byte of four.
        beginning = min(BEGINNING, (tokens_per_document or 4 * BEGINNING) // 4)
        for doc in _begin_alike(corpus[1], documents, beginning):
            yield doc, tokens_of(doc)

    tokens = [tokens_of(doc) for doc in documents]
    _check_known(texts, tokens, tokenizer)
    return Documents(list(documents), tokens, tokenizer, provenance_of(corpus.schema), alike())


def _check_known(texts: Texts, tokens: list[Tokens], tokenizer: Tokenizer) -> None:
    """Tell how much of the texts the tokenizer does not know; refuse what it can hardly read."""
    unknown = unknown_token(tokenizer)
    read_t = np.concatenate([tokens_t[1:] for tokens_t in tokens])
    share = np.sum(read_t == unknown) / max(len(read_t), 1)
    said = (
        f"{share:.2g} of the tokens are {unknown is not None and tokenizer.id_to_token(unknown)!r}"
    )
    if share > MOST_UNKNOWN:
        raise InputError(
            f"{texts.key}: {said}, which stands for whatever the tokenizer of {texts.model.name} "
            f"does not know; take texts that it was made for, or another model"
        )
    if share > 0:
        log.warning("%s: what the tokenizer does not know", said)


def read_corpus(path: Path) -> pa.Table:
    """A corpus of texts or of conversations."""
    try:
        return read_table(path, CORPUS)
    except TableError:
        with suppress(TableError):
            return read_table(path, CHATS)
        raise


def _begin_alike(texts: pa.ChunkedArray, shard: range, characters: int) -> list[int]:
    """Documents before a shard that begin with the same so many characters as one in it."""
    beginnings = pc.utf8_slice_codeunits(texts.slice(0, shard.stop), 0, characters)
    here = beginnings.slice(shard.start).combine_chunks()
    found = pc.is_in(beginnings.slice(0, shard.start), value_set=here)
    return [int(doc) for doc in np.flatnonzero(found.to_numpy())]


def write_documents(
    texts: Texts,
    documents: Documents,
    make: Callable[[int, Tokens], Tokens],
    out: Path,
    **ensemble: object,
) -> None:
    """Write what is made of documents as a table of tokens.

    Parameters
    ----------
    make : document's number, its tokens → the tokens to write; a ValueError of it is the user's.
    ensemble : what it is called and made by, for the provenance.

    Raises
    ------
    InputError
        If a document is too short, two are the same though nothing is drawn at random for them, or
        a token lies beyond the model's vocabulary.
    """
    made = []
    for doc, tokens_t in zip(documents.doc, documents.tokens, strict=True):
        if len(tokens_t) < FEWEST_TOKENS:
            raise InputError(
                f"{texts.key}: document {doc} of {texts.corpus} has fewer than two tokens after "
                f"the prefix token, and a state needs two; raise {texts.key}.min_characters to "
                f"leave it out"
            )
        try:
            made.append(make(doc, tokens_t))
        except ValueError as error:
            raise InputError(
                f"{texts.key}: document {doc} of {texts.corpus} {error}; lower "
                f"{texts.key}.prefix_tokens, or leave short documents out (min_characters)"
            ) from error
    if "seed" not in ensemble:
        before = [(doc, make(doc, tokens_t)) for doc, tokens_t in documents.alike]
        text = f"datasets.{documents.provenance['dataset']}"
        check_distinct(
            texts.key,
            [*before, *zip(documents.doc, made, strict=True)],
            f"take more of each (tokens_per_document), or set {text}.distinct_characters, so that "
            f"of documents that begin alike one is taken",
        )
    provenance = Provenance(
        dataset=texts.dataset,
        corpus=documents.provenance,
        ensemble=None,
        seed=None,
        prefix_token=texts.prefix_token,
    )
    provenance = Provenance(provenance | ensemble)
    provenance = provenance.then("tokenized by", "tokenizers", "numpy", "pyarrow")
    write_table(out, tokens_table(documents.doc, made, texts.model), provenance)


def check_distinct(key: str, documents: Iterable[tuple[int, Tokens]], remedy: str) -> None:
    """Refuse two documents of the same tokens: copies would pass for independent documents.

    Parameters
    ----------
    key : to name in an error.
    documents : number and tokens of each.

    Raises
    ------
    InputError
        If there are such.
    """
    first: dict[bytes, int] = {}
    copies = []
    for doc, tokens_t in documents:
        digest = hashlib.blake2b(tokens_t.tobytes(), digest_size=16).digest()
        if digest in first:
            copies.append((first[digest], doc))
        first.setdefault(digest, doc)
    if copies:
        one, other = copies[0]
        more = f" (and {len(copies) - 1} more such pairs)" if len(copies) > 1 else ""
        raise InputError(
            f"{key}: documents {one} and {other}{more} are the same tokens, and "
            f"error bars would take them for independent ones; {remedy}"
        )


def vocabulary_of(model: Path) -> int:
    """How many tokens a snapshot's model has, which are not always those of its tokenizer."""
    provenance = json.loads((model / "provenance.json").read_text(encoding="utf-8"))
    return int(provenance["vocabulary"])


def tokens_table(doc: list[int], tokens: list[Tokens], model: Path) -> pa.Table:
    """The tokens table, once all of its ids are found to be the model's.

    Raises
    ------
    InputError
        If one lies beyond the vocabulary.
    """
    table = pa.Table.from_pydict({"doc": doc, "tokens": tokens}, schema=TOKENS)
    vocabulary = vocabulary_of(model)
    highest = pc.max(pc.list_flatten(table["tokens"])).as_py()
    if highest >= vocabulary:
        raise InputError(
            f"{model / 'tokenizer.json'}: token id {highest} lies beyond the model's vocabulary "
            f"of {vocabulary}; the tokenizer belongs to another model, or tokens were added to it"
        )
    return table


def _special_tokens(tokenizer: Tokenizer) -> str:
    return ", ".join(list(special_tokens(tokenizer))[:8]) or "no special tokens"
