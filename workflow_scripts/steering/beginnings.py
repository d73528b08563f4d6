"""The model that a command steers, and the beginnings of documents that it reads."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from torch import Tensor

from ..models.loading import add_run_options, load, set_up
from ..semstat.errors import InputError
from ..semstat.models.decoder import ArchitectureError, LayeredModel
from ..semstat.models.replay import Reader
from ..semstat.tables import Provenance, provenance_of, read_table
from ..semstat.tokens.tables import TOKENS


class Beginnings(NamedTuple):
    """The first tokens of some documents.

    doc : their numbers in the corpus.
    ids_bt : (documents, tokens) the prefix token first.
    provenance : of the tokens.
    """

    doc: list[int]
    ids_bt: Tensor
    provenance: Provenance


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `read_beginnings` and `load_whole` take."""
    parser.add_argument("--model", required=True, type=Path, help="snapshot of the model")
    parser.add_argument(
        "--tokens", required=True, nargs="+", type=Path, help="its tokens, by shard"
    )
    parser.add_argument("--dataset", required=True, help="name of the dataset")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random numbers")
    add_run_options(parser)


def read_beginnings(arguments: argparse.Namespace, documents: int, tokens: int) -> Beginnings:
    """The first so many tokens, without prefix, of the first so many documents that have them.

    Raises
    ------
    InputError
        If there are too few of them.
    """
    doc, found = [], []
    for path in arguments.tokens:
        table = read_table(path, TOKENS)
        for number, tokens_t in zip(*table.to_pydict().values(), strict=True):
            if len(tokens_t) > tokens:
                doc.append(number)
                found.append(tokens_t[: tokens + 1])
    if len(doc) < documents:
        raise InputError(
            f"datasets.{arguments.dataset}: {len(doc)} documents have {tokens} tokens, and "
            f"steering takes {documents} of them; lower its `documents`, `prompts`, `position` or "
            f"`prompt_tokens`, or raise the dataset's `shards`"
        )
    return Beginnings(doc[:documents], torch.tensor(found[:documents]), provenance_of(table.schema))


def load_whole(
    arguments: argparse.Namespace, positions: int
) -> tuple[LayeredModel, dict[str, Any], Provenance]:
    """The whole model, ready on its device, how it is run, and its provenance.

    Parameters
    ----------
    positions : tokens that it is to read at once, the prefix token included.

    Raises
    ------
    InputError
        If they are more than it was made for.
    """
    set_up(arguments.threads)
    config = transformers.AutoConfig.from_pretrained(arguments.model, local_files_only=True)
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    if limit and positions > limit:
        raise InputError(
            f"steering: {positions} tokens are more than the {limit} positions that "
            f"{arguments.model.name} was made for; lower `position`, `prompt_tokens` or `tokens`"
        )
    whole = {"name": arguments.model.name, "context": None, "stride": None}
    layered, facts = load(argparse.Namespace(**vars(arguments), **whole))
    snapshot = json.loads((arguments.model / "provenance.json").read_text())
    run = {key: facts[key] for key in ("device", "dtype", "attention")}
    return layered, run, snapshot | {"model": arguments.model.name}


def readers(model: str, layered: LayeredModel, layers: Sequence[int]) -> dict[int, Reader]:
    """A reader at each layer.

    Raises
    ------
    InputError
        If there is no such layer, or the model cannot be steered there.
    """
    try:
        return {layer: Reader(layered, layer) for layer in layers}
    except ArchitectureError as error:
        raise InputError(f"models.{model}: {error}") from error
    except ValueError as error:
        raise InputError(f"steering: {error} of {model}; name one of those") from error
