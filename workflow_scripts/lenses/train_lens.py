"""Train a tuned lens: for each inner layer the affine map after which it best tells the final
distribution.

Three documents in four train it; the others are held out, and the Parquet file tells of each how
far the final distribution is from what either lens reads out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..models.loading import BATCH_TOKENS, add_options, check_tokens, load, prepare, windows_of
from ..running import command
from ..semstat.errors import InputError
from ..semstat.lenses.tables import LENS_SUMS
from ..semstat.lenses.tuned_lens import divergences, split_documents, train_lens
from ..semstat.provenance import software
from ..semstat.tables import TOKENS, open_table, provenance_of, write_table
from .lens_files import write_lens


def main() -> None:
    parser = command.parser(__doc__)
    add_options(parser)
    parser.add_argument("--tokens", required=True, type=Path, help="Parquet file of the documents")
    parser.add_argument("--layers", required=True, type=int, nargs="+", help="0 is the embedding")
    parser.add_argument("--epochs", type=int, default=1, help="passes through the documents")
    parser.add_argument("--seed", type=int, default=0, help="seed of their order")
    parser.add_argument("--out", required=True, type=Path, help="safetensors file of the lens")
    parser.add_argument("--sums", required=True, type=Path, help="Parquet file of divergences")
    arguments = parser.parse_args()

    snapshot = prepare(arguments)
    tokens = open_table(arguments.tokens, TOKENS)
    states = check_tokens(arguments.tokens, tokens, snapshot["vocabulary"])
    windows = list(windows_of(tokens, arguments))
    doc_d = np.unique([window.doc for window in windows])
    trained, held_out = (doc_d[index_d] for index_d in split_documents(len(doc_d)))
    if len(held_out) < 2:
        raise InputError(
            f"{arguments.tokens}: {len(doc_d)} documents are too few to train a lens and test it; "
            f"raise models.{arguments.name}.lens.train_documents to at least 8"
        )
    tested = set(held_out)
    training = [window for window in windows if window.doc not in tested]
    testing = [window for window in windows if window.doc in tested]
    training_states = sum(window.states for window in training)
    model, facts = load(arguments)
    layers = [layer for layer in arguments.layers if layer < model.n_blocks]

    provenance: dict[str, Any] = {
        "model": snapshot,
        "tokens": provenance_of(tokens.schema_arrow),
        "first_document": int(doc_d[0]),
        "held_out": held_out.tolist(),
        "trained_documents": len(trained),
        "trained_states": training_states,
        "blocks": model.n_blocks,
        "epochs": arguments.epochs,
        "seed": arguments.seed,
    }
    provenance |= facts | software("torch", "transformers", "numpy", "safetensors", "pyarrow")
    total = training_states * arguments.epochs + states  # one more pass for where to start
    with command.progress(f"{arguments.name} lens", "states", total) as bar:
        try:
            lens = train_lens(
                model,
                training,
                layers,
                arguments.epochs,
                np.random.default_rng(arguments.seed),
                bar.update,
            )
        except FloatingPointError as error:
            raise InputError(
                f"models.{arguments.name}: {error} while training its lens; set its dtype to "
                f"float32, or bfloat16 on a GPU"
            ) from error
        batch_tokens = arguments.batch_tokens or BATCH_TOKENS[model.device.type]
        sums = divergences(model, testing, layers, lens, batch_tokens, bar.update)

    of_window = np.searchsorted(held_out, [window.doc for window in testing])
    states_d = np.bincount(of_window, weights=[window.states for window in testing])
    tables = []
    for layer, sum_w2 in sums.items():
        sum_d2 = np.zeros((len(held_out), 2))
        np.add.at(sum_d2, of_window, sum_w2)
        of_layer = [np.full(len(held_out), layer), held_out, states_d.astype(np.int64), *sum_d2.T]
        arrays = [pa.array(x, field.type) for x, field in zip(of_layer, LENS_SUMS, strict=True)]
        tables.append(pa.Table.from_arrays(arrays, schema=LENS_SUMS))
    write_lens(arguments.out, lens, provenance)
    write_table(arguments.sums, pa.concat_tables(tables), provenance)


if __name__ == "__main__":
    command.run(main)
