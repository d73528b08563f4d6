"""A shard of a corpus as a model's tokens: what the commands that make tokens share."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..semstat.errors import InputError
from ..semstat.sources.tables import CORPUS
from ..semstat.tables import Provenance, provenance_of, read_table
from ..semstat.tokens.tables import TOKENS


class Documents(NamedTuple):
    """Documents of one shard.

    doc : their numbers in the corpus.
    tokens : the tokens of each, the prefix token first.
    tokenizer : what made them.
    provenance : of the corpus.
    """

    doc: list[int]
    tokens: list[NDArray[np.int32]]
    tokenizer: Tokenizer
    provenance: Provenance


def add_arguments(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """The options that `read_documents` and `tokens_table` take; returns the group of --shard."""
    parser.add_argument("--model", required=True, type=Path, help="snapshot of the model")
    parser.add_argument("--corpus", required=True, type=Path, help="Parquet file of documents")
    parser.add_argument("--dataset", required=True, help="name of the dataset")
    parser.add_argument("--documents", required=True, type=int, help="documents in a shard")
    parser.add_argument("--prefix-token", required=True, help="token put before every document")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--shard", type=int, help="shard of the corpus, from 0")
    return which


def read_documents(arguments: argparse.Namespace, max_tokens: int | None) -> Documents:
    """Tokenize one shard of the corpus.

    Parameters
    ----------
    max_tokens : tokens kept of a document, without prefix; None keeps all.

    Raises
    ------
    InputError
        If the corpus has too few documents, or the tokenizer no such prefix token.
    """
    corpus = read_table(arguments.corpus, CORPUS)
    shard = corpus.slice(_first_document(arguments, len(corpus)), arguments.documents)
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.no_truncation()  # tokenizer.json may ask for both
    tokenizer.no_padding()
    prefix = tokenizer.token_to_id(arguments.prefix_token)
    if prefix is None:
        raise InputError(
            f"models.{arguments.model.name}.prefix_token: {arguments.prefix_token!r} is not in "
            f"{arguments.model / 'tokenizer.json'}; it has {_special_tokens(tokenizer)}"
        )
    texts = shard["text"].to_pylist()
    encoded = [tokenizer.encode(text, add_special_tokens=False).ids[:max_tokens] for text in texts]
    tokens = [np.array([prefix, *ids], dtype=np.int32) for ids in encoded]
    return Documents(shard["doc"].to_pylist(), tokens, tokenizer, provenance_of(corpus.schema))


def _first_document(arguments: argparse.Namespace, held: int) -> int:
    """Where the shard begins in a corpus that holds so many documents."""
    key = f"datasets.{arguments.dataset}"
    if arguments.shard is None:
        first: int = held - arguments.documents
        if first < arguments.beyond:
            raise InputError(
                f"{key}: {arguments.corpus} holds {held} documents, and the first "
                f"{arguments.beyond} of them are measured, so {arguments.documents} are too many "
                f"to train a lens on; lower its `train_documents`"
            )
        return first
    first = arguments.shard * arguments.documents
    end = first + arguments.documents
    if end > held:
        raise InputError(
            f"{key}.shards: shard {arguments.shard} needs documents {first} to {end - 1}, but "
            f"{arguments.corpus} holds {held}; lower `shards` or `documents_per_shard`"
        )
    return first


def tokens_table(doc: list[int], tokens: list[NDArray[np.int32]], model: Path) -> pa.Table:
    """The tokens table, once all of its ids are found to be the model's.

    Raises
    ------
    InputError
        If one lies beyond the vocabulary.
    """
    table = pa.Table.from_pydict({"doc": doc, "tokens": tokens}, schema=TOKENS)
    vocabulary = json.loads((model / "provenance.json").read_text())["vocabulary"]
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
