"""The ensemble `replaced`: text in which something else stands at a few places."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from ...running.command import run
from ...semstat.errors import InputError, blamed_on
from ...semstat.tokens import replaced as ensemble
from ..documents import (
    Shard,
    Texts,
    Tokens,
    read_corpus,
    read_documents,
    vocabulary_of,
    write_documents,
)
from ..vocabulary import ordinary_tokens

Kind = Literal["shuffled", "repeated", "uniform", "other"]


def replaced(
    *,
    texts: Texts,
    shard: Shard,
    tokens_per_document: int | None = None,
    kind: Kind,
    spans: int = 3,
    length: int = 16,
    prefix_tokens: int = 32,
    unit: int = 4,
    taken_from: Path | None = None,
    seed: int = 0,
    out: Path,
) -> None:
    """Let something else stand in a few spans of each document of a shard.

    The spans hang on the seed, the document's number and its length, so they are the same whatever
    stands there.

    Parameters
    ----------
    tokens_per_document : tokens kept of a document, without prefix (default: all).
    kind : what stands there: the span's own tokens in another order, the tokens before it again and
        again, tokens drawn uniformly from all ordinary ones, or a passage of another document.
    spans : how many.
    length : tokens of each.
    prefix_tokens : tokens before the first of them, the prefix token not counted.
    unit : tokens that are repeated.
    taken_from : corpus that passages are of (default: the document's own).
    seed : seed of the places, and of what is drawn.
    out : Parquet file to make.
    """
    documents = read_documents(texts, shard.within, tokens_per_document)
    ordinary, others = np.zeros(0), dict[int, Tokens]()
    if kind == "uniform":
        ordinary = np.flatnonzero(
            ordinary_tokens(documents.tokenizer, vocabulary_of(texts.model))
        ).astype(np.int32)
    elif kind == "other":
        others = _others(texts, documents.doc, taken_from, length)

    def instead(doc: int, tokens_t: Tokens, rng: np.random.Generator, begin: int) -> Tokens:
        match kind:
            case "shuffled":
                return ensemble.shuffled(tokens_t[begin : begin + length], rng)
            case "repeated":
                return np.resize(tokens_t[begin - unit : begin], length)
            case "uniform":
                return rng.choice(ordinary, length)
            case "other":
                return ensemble.passage(others[doc], length, rng)

    def make(doc: int, tokens_t: Tokens) -> Tokens:
        rng = np.random.default_rng([seed, doc])
        begin_s = ensemble.places(len(tokens_t), spans, length, prefix_tokens, rng)
        return ensemble.replaced(tokens_t, begin_s, length, partial(instead, doc, tokens_t, rng))

    remedy = (
        f"lower {texts.key}.spans, length or prefix_tokens, take another seed, or leave short "
        f"documents out (min_characters)"
    )
    made = {}
    for doc, tokens_t in zip(documents.doc, documents.tokens, strict=True):
        with blamed_on(f"{texts.key}: document {doc} of {texts.corpus}", remedy):
            made[doc] = make(doc, tokens_t)
    recipe: dict[str, object] = {"kind": kind, "spans": spans, "length": length}
    recipe |= {"prefix_tokens": prefix_tokens}
    if kind == "repeated":
        recipe["unit"] = unit
    if taken_from:
        recipe["taken_from"] = taken_from.stem
    write_documents(
        texts, documents, lambda doc, _: made[doc], out, ensemble="replaced", seed=seed, **recipe
    )


def _others(
    texts: Texts, docs: list[int], taken_from: Path | None, length: int
) -> dict[int, Tokens]:
    """Of each document another one, which does not hang on the shard: the next of its corpus.

    Of another corpus it is the one of the same number. Beyond the last one come the first again.

    Raises
    ------
    InputError
        If one is shorter than a span.
    """
    source, further = texts, 1
    if taken_from:
        source, further = replace(texts, corpus=taken_from, dataset=taken_from.stem), 0
    doc_d = (np.array(docs) + further) % len(read_corpus(source.corpus))
    found: list[Tokens] = []
    for run_d in np.split(doc_d, np.flatnonzero(np.diff(doc_d) != 1) + 1):
        chosen = range(int(run_d[0]), int(run_d[-1]) + 1)
        found += read_documents(source, partial(_exactly, chosen), None).tokens
    for doc, tokens_t in zip(doc_d, found, strict=True):
        if len(tokens_t) - 1 < length:
            raise InputError(
                f"{texts.key}.length: document {doc} of {source.corpus} has {len(tokens_t) - 1} "
                f"tokens, and a passage of {length} is to be taken from it; lower it, or leave "
                f"short documents out ({source.key}.min_characters)"
            )
    return dict(zip(docs, found, strict=True))


def _exactly(chosen: range, _texts: Texts, _held: int) -> range:
    return chosen


if __name__ == "__main__":
    run(replaced)
