"""The ensemble `repeated`: a token or a sentence again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ...running.command import run
from ...semstat.tokens import repeated as ensemble
from ..documents import Shard, Texts, Tokens, read_documents, write_documents
from ..sentences import end_sentences


def repeated(
    *,
    texts: Texts,
    shard: Shard,
    prefix_tokens: int = 32,
    unit: int | Literal["sentence"] = 1,
    copies: int = 1,
    out: Path,
) -> None:
    """Repeat a token or a sentence of each document of a shard after the text before it.

    Parameters
    ----------
    prefix_tokens : real tokens before the repetition, the prefix token not counted.
    unit : tokens to repeat, or `sentence`.
    copies : how often the unit stands there; 1 is the text itself.
    out : Parquet file to make.
    """
    documents = read_documents(texts, shard.within, None)

    def make(_doc: int, tokens_t: Tokens) -> Tokens:
        if unit == "sentence":
            ends_t = end_sentences(tokens_t, documents.tokenizer)
            stands = ensemble.unit_of_sentence(tokens_t, prefix_tokens, ends_t)
        else:
            stands = ensemble.unit_of_tokens(tokens_t, prefix_tokens, unit)
        return ensemble.repeated(tokens_t, stands, copies)

    recipe = {"unit": str(unit), "copies": copies, "prefix_tokens": prefix_tokens}
    write_documents(texts, documents, make, out, ensemble="repeated", **recipe)


if __name__ == "__main__":
    run(repeated)
