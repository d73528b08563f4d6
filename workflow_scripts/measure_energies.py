"""Measure one shard: the energy of every state at every layer asked for, by one forward pass.

Writes one Parquet file a layer, in the order of --layers. Memory does not grow with the shard.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import transformers
from safetensors import SafetensorError

from . import command
from .semstat.decoder import ArchitectureError, LayeredModel
from .semstat.errors import InputError
from .semstat.measure import measure_windows
from .semstat.provenance import software
from .semstat.tables import ENERGIES, TOKENS, open_table, provenance_of, table_writers
from .semstat.windows import Window, cut_windows

BATCH_TOKENS = {"cpu": 2048, "cuda": 16384}
"""Positions in one forward pass, unless told otherwise."""

log = logging.getLogger(f"{__package__}.command")


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--model", required=True, type=Path, help="snapshot of the model")
    parser.add_argument("--tokens", required=True, type=Path, help="Parquet file of one shard")
    parser.add_argument("--layers", required=True, type=int, nargs="+", help="0 is the embedding")
    parser.add_argument("--out", required=True, nargs="+", help="one Parquet file a layer")
    parser.add_argument("--context", type=int, default=1024, help="positions seen at once")
    parser.add_argument("--stride", type=int, default=512, help="positions between two windows")
    parser.add_argument("--readout", choices=["logit_lens"], default="logit_lens")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], default="float32")
    parser.add_argument("--attention", default="auto", help="auto, eager, sdpa, flash_attention_2")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument(
        "--batch-tokens",
        type=int,
        default=0,
        help="positions in one forward pass (default: 2,048 on a CPU, 16,384 on a GPU)",
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: all)")
    arguments = parser.parse_args()
    if len(arguments.layers) != len(arguments.out):
        parser.error("--layers and --out differ in length")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()

    snapshot = json.loads((arguments.model / "provenance.json").read_text())
    tokens = open_table(arguments.tokens, TOKENS)
    states = _check_tokens(arguments.tokens, tokens, snapshot["vocabulary"])
    _check_context(arguments)
    model, facts = load(arguments)

    shared: dict[str, Any] = {"model": snapshot, "tokens": provenance_of(tokens.schema_arrow)}
    shared |= facts | software("torch", "transformers", "numpy", "pyarrow")
    provenances = [shared | {"layer": layer} for layer in arguments.layers]
    windows = _windows(tokens, arguments.context, arguments.stride)
    label = f"{arguments.model.name} {shared['tokens']['dataset']} {arguments.tokens.stem}"
    with (
        command.progress(label, "states", total=states) as bar,
        table_writers(arguments.out, ENERGIES, provenances) as writers,
    ):
        try:
            measured = measure_windows(
                model,
                windows,
                arguments.layers,
                arguments.batch_tokens or BATCH_TOKENS[model.device.type],
                bar.update,
            )
            for by_layer in measured:
                for writer, layer in zip(writers, arguments.layers, strict=True):
                    writer.write_table(_table(by_layer[layer]))
        except FloatingPointError as error:
            raise InputError(
                f"models.{arguments.model.name}: {error}; set its dtype to float32, "
                f"or bfloat16 on a GPU"
            ) from error
        if bar.n != states:
            raise RuntimeError(f"{label}: measured {bar.n} states of {states}")


def load(arguments: argparse.Namespace) -> tuple[LayeredModel, dict[str, Any]]:
    """The model, ready on its device and no deeper than needed, and how it was run."""
    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"models.{arguments.model.name}.device: cuda is not available here "
            f"(torch {torch.__version__}); set it to auto or cpu"
        )
    attention = None if arguments.attention == "auto" else arguments.attention
    try:
        loaded = transformers.AutoModelForCausalLM.from_pretrained(
            arguments.model,
            dtype=getattr(torch, arguments.dtype),
            attn_implementation=attention,
            use_safetensors=True,
            local_files_only=True,
        )
    except (ImportError, ValueError) as error:
        raise InputError(
            f"models.{arguments.model.name}.attention: {arguments.attention!r} does not work here "
            f"({str(error).strip().partition(chr(10))[0]}); set it to auto"
        ) from error
    except SafetensorError as error:
        raise InputError(
            f"{arguments.model / 'model.safetensors'}: damaged ({error}); "
            f"delete the folder {arguments.model} and run snakemake again"
        ) from error
    try:
        model = LayeredModel(loaded.eval().requires_grad_(False).to(device))
    except ArchitectureError as error:
        raise InputError(f"models.{arguments.model.name}: {error}") from error
    model.truncate(max(arguments.layers))
    facts = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "dtype": arguments.dtype,
        "attention": loaded.config._attn_implementation,
        "readout": arguments.readout,
        "context": arguments.context,
        "stride": arguments.stride,
    }
    log.info("%s on %s, %s attention", arguments.dtype, facts["device"], facts["attention"])
    return model, facts


def _check_tokens(path: Path, tokens: pq.ParquetFile, vocabulary: int) -> int:
    """Number of states in a shard of tokens, each document and id of which is in order."""
    states = 0
    for doc, tokens_t in _documents(tokens):
        if len(tokens_t) < 2:
            raise InputError(
                f"{path}: document {doc} has {len(tokens_t)} token, and a state needs two; "
                f"leave it out of the corpus (min_characters)"
            )
        if not 0 <= tokens_t.min() <= tokens_t.max() < vocabulary:
            raise InputError(
                f"{path}: document {doc} has tokens {tokens_t.min()} to {tokens_t.max()}, beyond "
                f"the model's vocabulary of {vocabulary}; delete the file and run snakemake again"
            )
        states += len(tokens_t) - 1
    return states


def _check_context(arguments: argparse.Namespace) -> None:
    config = transformers.AutoConfig.from_pretrained(arguments.model, local_files_only=True)
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    if limit and arguments.context > limit:
        raise InputError(
            f"models.{arguments.model.name}.context: {arguments.context} positions are more than "
            f"the {limit} that the model was made for; lower it"
        )


def _documents(tokens: pq.ParquetFile) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    for batch in tokens.iter_batches(batch_size=256):
        for doc, tokens_t in zip(batch["doc"].to_pylist(), batch["tokens"], strict=True):
            yield doc, tokens_t.values.to_numpy()


def _windows(tokens: pq.ParquetFile, context: int, stride: int) -> Iterator[Window]:
    for doc, tokens_t in _documents(tokens):
        yield from cut_windows(doc, tokens_t, context, stride)


def _table(columns: dict[str, Any]) -> pa.Table:
    """Columns as the energies table has them; NaN speeds become nulls."""
    arrays = [
        pa.array(columns[field.name], type=field.type, from_pandas=field.nullable)
        for field in ENERGIES
    ]
    return pa.Table.from_arrays(arrays, schema=ENERGIES)


if __name__ == "__main__":
    command.run(main)
