"""The ensemble `injected`: repetitions put into text."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ...running.command import run
from ...semstat.errors import blamed_on
from ...semstat.tokens import injected as ensemble
from ..documents import Shard, Texts, Tokens, read_documents, write_documents
from ..sentences import end_sentences


def injected(
    *,
    texts: Texts,
    shard: Shard,
    tokens_per_document: int | None = None,
    rate: float,
    unit: int | Literal["sentence"] = 1,
    copies: tuple[int, int] = (1, 8),
    shuffled: bool = False,
    seed: int = 0,
    out: Path,
) -> None:
    """Put repetitions into each document of a shard, of which its end makes way for them.

    Parameters
    ----------
    tokens_per_document : tokens kept of a document with them, without prefix (default: all).
    rate : share of its tokens that are inserted copies, 0 to below 1.
    unit : tokens of what is repeated, or `sentence`.
    copies : the fewest and the most further copies of a unit that is repeated.
    shuffled : permute the inserted tokens of a document among themselves, so that they repeat no
        phrase.
    seed : seed of what is repeated, and how often.
    out : Parquet file to make.
    """
    documents = read_documents(texts, shard.within, tokens_per_document)
    remedy = (
        f"lower {texts.key}.rate, take a smaller unit, raise {texts.key}.copies or "
        f"{texts.key}.tokens_per_document, or leave short documents out (min_characters)"
    )

    def make(doc: int, tokens_t: Tokens) -> Tokens:
        rng = np.random.default_rng([seed, doc])
        if unit == "sentence":
            unit_u2 = ensemble.sentences(end_sentences(tokens_t, documents.tokenizer))
        else:
            unit_u2 = ensemble.units_of_tokens(tokens_t, unit, rng)
        with blamed_on(f"{texts.key}: document {doc} of {texts.corpus}", remedy):
            return ensemble.injected(
                tokens_t, unit_u2, rate, copies, rng, tokens_per_document, shuffled
            ).token_t

    recipe = {"rate": rate, "unit": str(unit), "copies": copies, "shuffled": shuffled}
    made = {
        doc: make(doc, of_doc) for doc, of_doc in zip(documents.doc, documents.tokens, strict=True)
    }
    write_documents(
        texts, documents, lambda doc, _: made[doc], out, ensemble="injected", seed=seed, **recipe
    )


if __name__ == "__main__":
    run(injected)
