"""Turn one shard of a corpus into a model's tokens, or into a null ensemble of them.

Shard s holds documents s·n to (s+1)·n − 1 of the corpus, so that adding a shard changes no other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer

from . import command
from .semstat.ensembles import ENSEMBLES
from .semstat.errors import InputError
from .semstat.provenance import software
from .semstat.tables import CORPUS, TOKENS, provenance_of, read_table, write_table


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--model", required=True, type=Path, help="snapshot of the model")
    parser.add_argument("--corpus", required=True, type=Path, help="Parquet file of documents")
    parser.add_argument("--dataset", required=True, help="name of the dataset")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--shard", type=int, help="shard to make, from 0")
    which.add_argument(
        "--beyond",
        type=int,
        metavar="N",
        help="take the corpus's last documents, which must lie beyond its first N (tuned lens)",
    )
    parser.add_argument("--documents", required=True, type=int, help="documents in a shard")
    parser.add_argument("--prefix-token", required=True, help="token put before every document")
    parser.add_argument("--max-tokens", type=int, help="tokens kept of a document, without prefix")
    parser.add_argument("--ensemble", choices=sorted(ENSEMBLES), help="null ensemble to make")
    parser.add_argument("--seed", type=int, default=0, help="seed of the ensemble")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()

    key = f"datasets.{arguments.dataset}"
    corpus = read_table(arguments.corpus, CORPUS)
    if arguments.shard is None:
        first = len(corpus) - arguments.documents
        if first < arguments.beyond:
            raise InputError(
                f"{key}: {arguments.corpus} holds {len(corpus)} documents, and the first "
                f"{arguments.beyond} of them are measured, so {arguments.documents} are too many "
                f"to train a lens on; lower its `train_documents`"
            )
    else:
        first = arguments.shard * arguments.documents
    shard = corpus.slice(first, arguments.documents)
    if len(shard) < arguments.documents:
        raise InputError(
            f"{key}.shards: shard {arguments.shard} needs documents {first} to "
            f"{first + arguments.documents - 1}, but {arguments.corpus} holds {len(corpus)}; "
            f"lower `shards` or `documents_per_shard`"
        )
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.no_truncation()  # tokenizer.json may ask for both
    tokenizer.no_padding()
    prefix = tokenizer.token_to_id(arguments.prefix_token)
    if prefix is None:
        raise InputError(
            f"models.{arguments.model.name}.prefix_token: {arguments.prefix_token!r} is not in "
            f"{arguments.model / 'tokenizer.json'}; it has {_special_tokens(tokenizer)}"
        )
    rows = {"doc": shard["doc"], "tokens": []}
    for doc, text in zip(shard["doc"].to_pylist(), shard["text"].to_pylist(), strict=True):
        ids = tokenizer.encode(text, add_special_tokens=False).ids[: arguments.max_tokens]
        tokens_t = np.array([prefix, *ids], dtype=np.int32)
        if len(tokens_t) < 2:
            raise InputError(
                f"{key}: document {doc} of {arguments.corpus} has no token after the prefix, and "
                f"a state needs two tokens; raise {key}.min_characters to leave it out"
            )
        if arguments.ensemble:
            rng = np.random.default_rng([arguments.seed, doc])
            vocabulary = tokenizer.get_vocab_size()
            tokens_t = ENSEMBLES[arguments.ensemble](tokens_t, vocabulary, rng)
        rows["tokens"].append(tokens_t)
    table = pa.Table.from_pydict(rows, schema=TOKENS)
    _check_vocabulary(table, arguments.model)

    provenance: dict[str, Any] = {
        "dataset": arguments.dataset,
        "corpus": provenance_of(corpus.schema),
        "ensemble": arguments.ensemble,
        "seed": arguments.seed if arguments.ensemble else None,
        "prefix_token": arguments.prefix_token,
    }
    write_table(arguments.out, table, provenance | software("tokenizers", "numpy", "pyarrow"))


def _special_tokens(tokenizer: Tokenizer) -> str:
    special = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    return ", ".join(special[:8]) or "no special tokens"


def _check_vocabulary(table: pa.Table, model: Path) -> None:
    vocabulary = json.loads((model / "provenance.json").read_text())["vocabulary"]
    highest = pc.max(pc.list_flatten(table["tokens"])).as_py()
    if highest >= vocabulary:
        raise InputError(
            f"{model / 'tokenizer.json'}: token id {highest} lies beyond the model's vocabulary "
            f"of {vocabulary}; the tokenizer belongs to another model"
        )


if __name__ == "__main__":
    command.run(main)
