"""Models as the commands that run them take them: options, loading, tokens."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
import transformers
from safetensors import SafetensorError

from ..semstat.errors import InputError
from ..semstat.models.decoder import ArchitectureError, LayeredModel
from ..semstat.models.windows import FEWEST_TOKENS, FIRST_STATE, Window, cut_windows

BATCH_TOKENS = {"cpu": 2048, "cuda": 16384}
"""Positions in one forward pass, unless told otherwise."""

log = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options that say which model runs, and how."""
    parser.add_argument("--model", required=True, type=Path, help="snapshot of the model")
    parser.add_argument(
        "--name", help="its name in the configuration (default: that of the snapshot)"
    )
    parser.add_argument("--context", type=int, default=1024, help="positions seen at once")
    parser.add_argument("--stride", type=int, default=512, help="positions between two windows")
    add_run_options(parser)
    add_batch_option(parser)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options that say on what, and in which precision, a model runs."""
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], default="float32")
    parser.add_argument("--attention", default="auto", help="auto, eager, sdpa, flash_attention_2")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all)")


def add_batch_option(parser: argparse.ArgumentParser) -> None:
    """The option that bounds how much a model computes at once."""
    parser.add_argument(
        "--batch-tokens",
        type=int,
        default=0,
        help="positions computed or remembered at once (default: 2,048 on a CPU, 16,384 on a GPU)",
    )


def prepare(arguments: argparse.Namespace) -> dict[str, Any]:
    """Set up torch and transformers, check the options, and return the snapshot's provenance."""
    set_up(arguments.threads)
    arguments.name = arguments.name or arguments.model.name
    config = transformers.AutoConfig.from_pretrained(arguments.model, local_files_only=True)
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    if limit and arguments.context > limit:
        raise InputError(
            f"models.{arguments.name}.context: {arguments.context} positions are more than "
            f"the {limit} that the model was made for; lower it"
        )
    snapshot: dict[str, Any] = json.loads((arguments.model / "provenance.json").read_text())
    return snapshot | {"model": arguments.name}


def set_up(threads: int | None) -> None:
    """As many threads as asked for, and no word from transformers but errors."""
    if threads:
        torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def load(arguments: argparse.Namespace) -> tuple[LayeredModel, dict[str, Any]]:
    """The model, ready on its device, and how it is run."""
    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"models.{arguments.name}.device: cuda is not available here "
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
            f"models.{arguments.name}.attention: {arguments.attention!r} does not work here "
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
        raise InputError(f"models.{arguments.name}: {error}") from error
    facts = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "dtype": arguments.dtype,
        "attention": loaded.config._attn_implementation,
        "context": arguments.context,
        "stride": arguments.stride,
    }
    log.info("%s on %s, %s attention", arguments.dtype, facts["device"], facts["attention"])
    return model, facts


def check_tokens(path: Path, tokens: pq.ParquetFile, vocabulary: int) -> int:
    """Number of states in a shard of tokens, each document and id of which is in order.

    Raises
    ------
    InputError
        If a document has no state, or a token that the model does not know.
    """
    states = 0
    for doc, tokens_t in _documents(tokens):
        if len(tokens_t) < FEWEST_TOKENS:
            raise InputError(
                f"{path}: document {doc} has fewer than two tokens after the prefix token, and a "
                f"state needs two; leave it out of the corpus (min_characters)"
            )
        if not 0 <= tokens_t.min() <= tokens_t.max() < vocabulary:
            raise InputError(
                f"{path}: document {doc} has tokens {tokens_t.min()} to {tokens_t.max()}, beyond "
                f"the model's vocabulary of {vocabulary}; delete the file and run snakemake again"
            )
        states += len(tokens_t) - 1 - FIRST_STATE
    return states


def windows_of(tokens: pq.ParquetFile, arguments: argparse.Namespace) -> Iterator[Window]:
    """Windows of a shard's documents, in order."""
    for doc, tokens_t in _documents(tokens):
        yield from cut_windows(doc, tokens_t, arguments.context, arguments.stride)


def _documents(tokens: pq.ParquetFile) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    for batch in tokens.iter_batches(batch_size=256):
        for doc, tokens_t in zip(batch["doc"].to_pylist(), batch["tokens"], strict=True):
            yield doc, tokens_t.values.to_numpy()
