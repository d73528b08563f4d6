"""The command that trains a tuned lens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from ..models.loading import Running, finite, load
from ..running.command import progress, run
from ..semstat.errors import InputError
from ..semstat.lenses.columns import LENS_SUMS
from ..semstat.lenses.tuned_lens import divergences, split_documents
from ..semstat.lenses.tuned_lens import train_lens as train
from ..semstat.models.windows import Window
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, write_table
from ..semstat.tokens.tables import TOKENS
from ..tokens.shards import Cut, check_tokens
from .lens_files import write_lens


def train_lens(
    *,
    running: Running,
    cut: Cut = Cut(),
    tokens: Path,
    layers: list[int],
    epochs: int = 1,
    seed: int = 0,
    out: Path,
    sums: Path,
) -> None:
    """Train a tuned lens: affine maps after which inner layers best tell the final distribution.

    Three documents in four train it; the others are held out, and --sums tells of each how far the
    final distribution is from what either lens reads out.

    Parameters
    ----------
    tokens : Parquet file of the documents.
    layers : layers to train maps of; 0 is the embedding.
    epochs : passes through the documents.
    seed : seed of their order.
    out : safetensors file of the lens to make.
    sums : Parquet file of divergences to make.
    """
    snapshot = running.snapshot()
    shard = open_table(tokens, TOKENS)
    states = check_tokens(tokens, shard, snapshot["vocabulary"])
    windows = list(cut.windows(shard))
    doc_d = np.unique([window.doc for window in windows])
    trained, held_out = (doc_d[index_d] for index_d in split_documents(len(doc_d)))
    if len(held_out) < 2:
        raise InputError(
            f"{tokens}: {len(doc_d)} documents are too few to train a lens and test it; "
            f"raise {running.key}.lens.train_documents to at least 8"
        )
    tested = set(held_out)
    training = [window for window in windows if window.doc not in tested]
    testing = [window for window in windows if window.doc in tested]
    training_states = sum(window.states for window in training)
    model, facts = load(running, cut.context, f"{running.key}.context")
    inner = [layer for layer in layers if layer < model.n_blocks]
    provenance = Provenance(
        model=snapshot,
        tokens=provenance_of(shard.schema_arrow),
        first_document=int(doc_d[0]),
        held_out=held_out.tolist(),
        trained_documents=len(trained),
        trained_states=training_states,
        blocks=model.n_blocks,
        epochs=epochs,
        seed=seed,
        context=cut.context,
        stride=cut.stride,
        **facts,
    ).then("trained by", "torch", "transformers", "numpy", "safetensors", "pyarrow")
    total = training_states * epochs + states  # one more pass for where to start
    with progress(f"{running.called} lens", "states", total) as bar:
        with finite(running):
            rng = np.random.default_rng(seed)
            lens = train(model, training, inner, epochs, rng, bar.update)
        batch_tokens = running.positions_at_once(model.device)
        sum_w2 = divergences(model, testing, inner, lens, batch_tokens, bar.update)
    write_lens(out, lens, provenance)
    write_table(sums, _sums_table(testing, held_out, sum_w2), provenance)


def _sums_table(
    testing: list[Window], held_out: np.ndarray, sum_w2: dict[int, np.ndarray]
) -> pa.Table:
    """By layer and document, from sums by layer and window."""
    of_window = np.searchsorted(held_out, [window.doc for window in testing])
    states_d = np.bincount(of_window, weights=[window.states for window in testing])
    tables = []
    for layer, of_layer in sum_w2.items():
        sum_d2 = np.zeros((len(held_out), 2))
        np.add.at(sum_d2, of_window, of_layer)
        columns = [np.full(len(held_out), layer), held_out, states_d.astype(np.int64), *sum_d2.T]
        arrays = [pa.array(x, field.type) for x, field in zip(columns, LENS_SUMS, strict=True)]
        tables.append(pa.Table.from_arrays(arrays, schema=LENS_SUMS))
    return pa.concat_tables(tables)


if __name__ == "__main__":
    run(train_lens)
