"""Measuring one shard: what the commands share that read states out in one way or another."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import torch
from pyarrow.parquet import ParquetFile, ParquetWriter
from torch import nn

from ..models.loading import Running, finite, load
from ..running.command import progress
from ..semstat.energies.background import in_background
from ..semstat.energies.measure import Rivals, measure_windows
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.models.decoder import LayeredModel
from ..semstat.provenance import Provenance
from ..semstat.tables import open_table, provenance_of, table_writers
from ..semstat.tokens.tables import TOKENS
from ..tokens.shards import Cut, check_held_out, check_tokens


def open_tokens(tokens: Path, layers: list[int], out: list[Path]) -> ParquetFile:
    """A shard of tokens, to be measured into one file a layer.

    Raises
    ------
    InputError
        If there are not as many files as layers.
    """
    if len(layers) != len(out):
        raise InputError(
            f"--layers and --out: {len(layers)} layers and {len(out)} files; give a file for each"
        )
    return open_table(tokens, TOKENS)


def load_for(
    running: Running, cut: Cut, path: Path, tokens: ParquetFile, layers: list[int]
) -> tuple[LayeredModel, int, dict[str, Any], dict[str, Any]]:
    """The model that is to measure a shard, up to the last layer asked for.

    Returns
    -------
    The model; states of the shard; what the snapshot says of itself; how the model is run.

    Raises
    ------
    InputError
        If the tokens are not the model's, or it was trained on them, or it cannot be run so.
    """
    snapshot = running.snapshot()
    states = check_tokens(path, tokens, snapshot["vocabulary"])
    trained_on, more = snapshot.get("trained_on", []), f"{running.key}.train.documents"
    check_held_out(path, tokens, trained_on, running.called, more)
    model, facts = load(running, cut.context, f"{running.key}.context")
    model.truncate(max(layers))
    return model, states, snapshot, facts


def measure_shard(
    running: Running,
    cut: Cut,
    path: Path,
    tokens: ParquetFile,
    layers: list[int],
    out: list[Path],
    readout: str,
    translators: Mapping[int, nn.Module] = MappingProxyType({}),
    rivals: Rivals | None = None,
    **facts: Any,
) -> None:
    """Measure the energy of every state at every layer asked for, by one forward pass.

    Memory does not grow with the shard.

    Parameters
    ----------
    path, tokens : the shard.
    out : Parquet files, one a layer.
    readout : what states are read out by, for the provenance.
    translators : of hidden states, by layer; the other layers are read out as they are.
    rivals : tokens of which the likeliest stands for the last one.
    facts : more for the provenance, by name.
    """
    model, states, snapshot, run = load_for(running, cut, path, tokens, layers)
    shared = Provenance(
        model=snapshot,
        tokens=provenance_of(tokens.schema_arrow),
        readout=readout,
        context=cut.context,
        stride=cut.stride,
        **run,
        **facts,
    ).then("measured by", "torch", "transformers", "numpy", "pyarrow")
    label = f"{running.called} {shared['tokens']['dataset']} {path.stem}"
    # On a CPU writing is a thousandth of the work, and more threads would take cores from what
    # computes; a GPU measures many layers faster than one thread writes them.
    threads = 1 if model.device.type == "cpu" else torch.get_num_threads()
    provenances = [shared | {"layer": layer} for layer in layers]
    measured_states = 0  # a bar counts none where TQDM_DISABLE is set

    def count(more: int) -> None:
        nonlocal measured_states
        measured_states += more
        bar.update(more)

    with (
        progress(label, "states", total=states) as bar,
        table_writers(out, ENERGIES, provenances) as writers,
        ThreadPoolExecutor(threads) as pool,
        in_background(partial(_write, pool, writers, layers)) as write,
        finite(running),
    ):
        measured = measure_windows(
            model,
            cut.windows(tokens),
            layers,
            running.positions_at_once(model.device),
            count,
            {layer: translator.to(model.device) for layer, translator in translators.items()},
            rivals,
        )
        for by_layer in measured:
            write(by_layer)
        if measured_states != states:
            raise RuntimeError(f"{label}: measured {measured_states} states of {states}")


def _write(
    pool: ThreadPoolExecutor,
    writers: list[ParquetWriter],
    layers: list[int],
    by_layer: dict[int, dict[str, Any]],
) -> None:
    """Append a row group to each layer's file, some of them side by side."""

    def write(writer: ParquetWriter, layer: int) -> None:
        writer.write_table(table_of_columns(by_layer[layer]))

    list(pool.map(write, writers, layers))  # raises what one of them has raised


def table_of_columns(columns: dict[str, Any]) -> pa.Table:
    """Columns as the energies table has them; NaN speeds become null."""
    arrays = [
        pa.array(columns[field.name], type=field.type, from_pandas=field.nullable)
        for field in ENERGIES
    ]
    return pa.Table.from_arrays(arrays, schema=ENERGIES)
