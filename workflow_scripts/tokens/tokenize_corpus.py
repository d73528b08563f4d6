"""Turn one shard of a corpus into a model's tokens, or into an ensemble made from them.

Shard s holds documents s·n to (s+1)·n − 1 of the corpus, so that adding a shard changes no other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..running import command
from ..semstat.errors import InputError
from ..semstat.provenance import software
from ..semstat.tables import write_table
from ..semstat.tokens.ensembles import ENSEMBLES, Recipe
from .documents import add_arguments, read_documents, tokens_table

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
    parser.add_argument("--ensemble", choices=sorted(ENSEMBLES), help="ensemble to make")
    parser.add_argument("--seed", type=int, default=0, help="seed of the ensemble")
    parser.add_argument("--prefix-tokens", type=int, default=0, help="kept before a repetition")
    parser.add_argument("--unit", default="1", help="tokens to repeat, or `sentence`")
    parser.add_argument("--copies", type=int, default=1, help="how often the unit stands there")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    key = f"datasets.{arguments.dataset}"
    documents = read_documents(arguments, arguments.max_tokens)
    unit_tokens = None if arguments.unit == "sentence" else int(arguments.unit)
    recipe = Recipe(
        documents.tokenizer.get_vocab_size(),
        lambda tokens_t: _end_sentences(tokens_t, documents.tokenizer),
        arguments.prefix_tokens,
        unit_tokens,
        arguments.copies,
    )
    made = []
    for doc, tokens_t in zip(documents.doc, documents.tokens, strict=True):
        if len(tokens_t) < 3:
            raise InputError(
                f"{key}: document {doc} of {arguments.corpus} has fewer than two tokens after the "
                f"prefix token, and a state needs two; raise {key}.min_characters to leave it out"
            )
        if arguments.ensemble:
            rng = np.random.default_rng([arguments.seed, doc])
            try:
                tokens_t = ENSEMBLES[arguments.ensemble](tokens_t, recipe, rng)
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


def _end_sentences(tokens_t: NDArray[np.int32], tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """(tokens,) whether a token's text ends with . ! or ?, quotes and brackets aside."""
    texts = tokenizer.decode_batch([[token] for token in tokens_t])
    return np.array([text.rstrip(CLOSERS).endswith(SENTENCE_ENDS) for text in texts])


if __name__ == "__main__":
    command.run(main)
