"""Documents of a corpus as a model's tokens: what the commands that make tokens share."""

from __future__ import annotations

import json
from collections.abc import Callable
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
from ..semstat.sources.tables import CORPUS
from ..semstat.tables import provenance_of, read_table, write_table
from ..semstat.tokens.tables import TOKENS

Tokens = NDArray[np.int32]


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
    """

    model: Path
    corpus: Path
    dataset: str
    prefix_token: str

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
    """

    shard: int
    documents_per_shard: int
    shards: int = 1

    def within(self, texts: Texts, held: int) -> range:
        """The documents, of a corpus that holds so many.

        Raises
        ------
        InputError
            If it holds fewer than all shards need: before a model runs on the first of them.
        """
        first = self.shard * self.documents_per_shard
        shards = max(self.shards, self.shard + 1)
        if shards * self.documents_per_shard > held:
            raise InputError(
                f"{texts.key}.shards: {shards} × {self.documents_per_shard} documents are asked "
                f"for, but {texts.corpus} holds {held}; lower `shards` or `documents_per_shard`"
            )
        return range(first, first + self.documents_per_shard)


class Documents(NamedTuple):
    """Documents of one shard.

    doc : their numbers in the corpus.
    tokens : the tokens of each, the prefix token first.
    tokenizer : what made them.
    provenance : of the corpus.
    """

    doc: list[int]
    tokens: list[Tokens]
    tokenizer: Tokenizer
    provenance: Provenance


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
    corpus = read_table(texts.corpus, CORPUS)
    documents = chosen(texts, len(corpus))
    part = corpus.slice(documents.start, len(documents))
    tokenizer = Tokenizer.from_file(str(texts.model / "tokenizer.json"))
    tokenizer.no_truncation()  # tokenizer.json may ask for both
    tokenizer.no_padding()
    prefix = tokenizer.token_to_id(texts.prefix_token)
    if prefix is None:
        raise InputError(
            f"models.{texts.model.name}.prefix_token: {texts.prefix_token!r} is not in "
            f"{texts.model / 'tokenizer.json'}; it has {_special_tokens(tokenizer)}"
        )
    encoded = [
        tokenizer.encode(text, add_special_tokens=False).ids for text in part["text"].to_pylist()
    ]
    tokens = [np.array([prefix, *ids[:tokens_per_document]], dtype=np.int32) for ids in encoded]
    return Documents(part["doc"].to_pylist(), tokens, tokenizer, provenance_of(corpus.schema))


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
        If a document is too short, or a token lies beyond the model's vocabulary.
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


def tokens_table(doc: list[int], tokens: list[Tokens], model: Path) -> pa.Table:
    """The tokens table, once all of its ids are found to be the model's.

    Raises
    ------
    InputError
        If one lies beyond the vocabulary.
    """
    table = pa.Table.from_pydict({"doc": doc, "tokens": tokens}, schema=TOKENS)
    vocabulary = json.loads((model / "provenance.json").read_text(encoding="utf-8"))["vocabulary"]
    highest = pc.max(pc.list_flatten(table["tokens"])).as_py()
    if highest >= vocabulary:
        raise InputError(
            f"{model / 'tokenizer.json'}: token id {highest} lies beyond the model's vocabulary "
            f"of {vocabulary}; the tokenizer belongs to another model"
        )
    return table


def _special_tokens(tokenizer: Tokenizer) -> str:
    special = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    return ", ".join(special[:8]) or "no special tokens"
