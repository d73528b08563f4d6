"""Turn one shard of a corpus into a model's tokens, or into an ensemble made from them.

Shard s holds documents s·n to (s+1)·n − 1 of the corpus, so that adding a shard changes no other.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..running import command
from ..semstat.errors import InputError
from ..semstat.provenance import software
from ..semstat.tables import write_table
from ..semstat.tokens.repeated import repeated, unit_of_sentence, unit_of_tokens
from ..semstat.tokens.shuffled import shuffled
from ..semstat.tokens.uniform import uniform
from .documents import add_arguments, read_documents, tokens_table

ENSEMBLES = ("repeated", "shuffled", "uniform")

SENTENCE_ENDS = (".", "!", "?")
CLOSERS = " \n\"'”’)]"
"""What may stand between the end of a sentence and the end of its last token."""


def main() -> None:
    parser = command.parser(__doc__)
    add_arguments(parser).add_argument(
        "--beyond",
        type=int,
        metavar="N",
        help="take the corpus's last documents, which must lie beyond its first N (tuned lens)",
    )
    parser.add_argument("--max-tokens", type=int, help="tokens kept of a document, without prefix")
    parser.add_argument("--ensemble", choices=ENSEMBLES, help="ensemble to make")
    parser.add_argument("--seed", type=int, default=0, help="seed of the ensemble")
    parser.add_argument("--prefix-tokens", type=int, default=0, help="kept before a repetition")
    parser.add_argument("--unit", default="1", help="tokens to repeat, or `sentence`")
    parser.add_argument("--copies", type=int, default=1, help="how often the unit stands there")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    key = f"datasets.{arguments.dataset}"
    documents = read_documents(arguments, arguments.max_tokens)
    made = []
    for doc, tokens_t in zip(documents.doc, documents.tokens, strict=True):
        if len(tokens_t) < 2:
            raise InputError(
                f"{key}: document {doc} of {arguments.corpus} has no token after the prefix, and "
                f"a state needs two tokens; raise {key}.min_characters to leave it out"
            )
        if arguments.ensemble:
            rng = np.random.default_rng([arguments.seed, doc])
            try:
                tokens_t = _made(tokens_t, arguments, documents.tokenizer, rng)
            except ValueError as error:
                raise InputError(
                    f"{key}: document {doc} of {arguments.corpus} {error}; lower "
                    f"{key}.prefix_tokens, or leave short documents out (min_characters)"
                ) from error
        made.append(tokens_t)

    provenance: dict[str, Any] = {
        "dataset": arguments.dataset,
        "corpus": documents.provenance,
        "ensemble": arguments.ensemble,
        "seed": arguments.seed if arguments.ensemble else None,
        "prefix_token": arguments.prefix_token,
    }
    if arguments.ensemble == "repeated":
        provenance |= {name: getattr(arguments, name) for name in ("unit", "copies")}
        provenance |= {"prefix_tokens": arguments.prefix_tokens}
    table = tokens_table(documents.doc, made, arguments.model)
    write_table(arguments.out, table, provenance | software("tokenizers", "numpy", "pyarrow"))


def _made(
    tokens_t: NDArray[np.int32],
    arguments: argparse.Namespace,
    tokenizer: Tokenizer,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    if arguments.ensemble == "shuffled":
        return shuffled(tokens_t, rng)
    if arguments.ensemble == "uniform":
        return uniform(tokens_t, tokenizer.get_vocab_size(), rng)
    if arguments.unit == "sentence":
        ends_t = _end_sentences(tokens_t, tokenizer)
        unit = unit_of_sentence(tokens_t, arguments.prefix_tokens, ends_t)
    else:
        unit = unit_of_tokens(tokens_t, arguments.prefix_tokens, int(arguments.unit))
    return repeated(tokens_t, unit, arguments.copies)


def _end_sentences(tokens_t: NDArray[np.int32], tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """(tokens,) whether a token's text ends with . ! or ?, quotes and brackets aside."""
    texts = tokenizer.decode_batch([[token] for token in tokens_t])
    return np.array([text.rstrip(CLOSERS).endswith(SENTENCE_ENDS) for text in texts])


if __name__ == "__main__":
    command.run(main)
