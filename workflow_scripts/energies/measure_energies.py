"""Measure one shard: the energy of every state at every layer asked for, by one forward pass.

Writes one Parquet file a layer, in the order of --layers. Memory does not grow with the shard.
"""

from __future__ import annotations

from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch
from pyarrow.parquet import ParquetFile, ParquetWriter

from ..lenses.lens_files import read_lens
from ..models.loading import BATCH_TOKENS, add_options, check_tokens, load, prepare, windows_of
from ..running import command
from ..semstat.energies.background import in_background
from ..semstat.energies.measure import measure_windows
from ..semstat.errors import InputError
from ..semstat.lenses.translator import Lens
from ..semstat.provenance import software
from ..semstat.tables import (
    ENERGIES,
    TOKENS,
    Provenance,
    open_table,
    provenance_of,
    table_writers,
)


def main() -> None:
    parser = command.parser(__doc__)
    add_options(parser)
    parser.add_argument("--tokens", required=True, type=Path, help="Parquet file of one shard")
    parser.add_argument("--layers", required=True, type=int, nargs="+", help="0 is the embedding")
    parser.add_argument("--out", required=True, nargs="+", help="one Parquet file a layer")
    parser.add_argument("--readout", choices=["logit_lens", "tuned_lens"], default="logit_lens")
    parser.add_argument("--lens", nargs="?", type=Path, help="safetensors file of a tuned lens")
    arguments = parser.parse_args()
    if len(arguments.layers) != len(arguments.out):
        parser.error("--layers and --out differ in length")
    if (arguments.readout == "tuned_lens") != (arguments.lens is not None):
        parser.error("--lens is for --readout tuned_lens, which needs it")

    snapshot = prepare(arguments)
    tokens = open_table(arguments.tokens, TOKENS)
    states = check_tokens(arguments.tokens, tokens, snapshot["vocabulary"])
    shared: dict[str, Any] = {"model": snapshot, "tokens": provenance_of(tokens.schema_arrow)}
    lens: Lens = {}
    if arguments.lens:
        lens, shared["lens"] = read_lens(arguments.lens, arguments.layers)
        _check_disjoint(arguments, tokens, shared["lens"])
    model, facts = load(arguments)
    model.truncate(max(arguments.layers))

    shared |= facts | {"readout": arguments.readout}
    shared |= software("torch", "transformers", "numpy", "pyarrow")
    provenances = [shared | {"layer": layer} for layer in arguments.layers]
    windows = windows_of(tokens, arguments)
    label = f"{arguments.name} {shared['tokens']['dataset']} {arguments.tokens.stem}"
    # On a CPU writing is a thousandth of the work, and more threads would take cores from what
    # computes; a GPU measures many layers faster than one thread writes them.
    threads = 1 if model.device.type == "cpu" else torch.get_num_threads()
    with (
        command.progress(label, "states", total=states) as bar,
        table_writers(arguments.out, ENERGIES, provenances) as writers,
        ThreadPoolExecutor(threads) as pool,
        in_background(partial(_write, pool, writers, arguments.layers)) as write,
    ):
        try:
            measured = measure_windows(
                model,
                windows,
                arguments.layers,
                arguments.batch_tokens or BATCH_TOKENS[model.device.type],
                bar.update,
                {layer: translator.to(model.device) for layer, translator in lens.items()},
            )
            for by_layer in measured:
                write(by_layer)
        except FloatingPointError as error:
            raise InputError(
                f"models.{arguments.name}: {error}; set its dtype to float32, or bfloat16 on a GPU"
            ) from error
        if bar.n != states:
            raise RuntimeError(f"{label}: measured {bar.n} states of {states}")


def _check_disjoint(arguments: Namespace, tokens: ParquetFile, lens: Provenance) -> None:
    """No document may be measured through a lens that it has trained."""
    if provenance_of(tokens.schema_arrow)["corpus"] != lens["tokens"]["corpus"]:
        return
    last = pc.max(tokens.read(columns=["doc"])["doc"]).as_py()
    if last >= lens["first_document"]:
        raise InputError(
            f"{arguments.tokens}: document {last} is one of those that {arguments.lens} was made "
            f"from ({lens['first_document']} and on); lower models.{arguments.name}.lens."
            f"train_documents or the `shards` that are measured"
        )


def _write(
    pool: ThreadPoolExecutor,
    writers: list[ParquetWriter],
    layers: list[int],
    by_layer: dict[int, dict[str, Any]],
) -> None:
    """Append a row group to each layer's file, some of them side by side."""

    def write(writer: ParquetWriter, layer: int) -> None:
        writer.write_table(_table(by_layer[layer]))

    list(pool.map(write, writers, layers))  # raises what one of them has raised


def _table(columns: dict[str, Any]) -> pa.Table:
    """Columns as the energies table has them; NaN speeds become null."""
    arrays = [
        pa.array(columns[field.name], type=field.type, from_pandas=field.nullable)
        for field in ENERGIES
    ]
    return pa.Table.from_arrays(arrays, schema=ENERGIES)


if __name__ == "__main__":
    command.run(main)
