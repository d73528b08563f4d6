"""Let a model write one shard: its own samples after the first tokens of a corpus's documents.

What is drawn for a document depends on the seed and on its number only, so that adding a shard
changes no other.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from ..models.loading import BATCH_TOKENS, add_batch_option, add_run_options, load, set_up
from ..running import command
from ..semstat.errors import InputError
from ..semstat.generation.sampling import Sampling, draw_uniform
from ..semstat.generation.writing import continue_texts
from ..semstat.models.decoder import LayeredModel
from ..semstat.models.replay import Reader
from ..semstat.provenance import software
from ..semstat.tables import write_table
from ..tokens.documents import Documents, add_arguments, read_documents, tokens_table


def main() -> None:
    parser = command.parser(__doc__)
    add_arguments(parser)
    parser.add_argument("--prompt-tokens", required=True, type=int, help="tokens of the document")
    parser.add_argument(
        "--tokens", required=True, type=int, help="tokens to make, prompt included, without prefix"
    )
    parser.add_argument(
        "--sampling-temperature", required=True, type=float, help="0 takes the likeliest token"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the samples")
    add_run_options(parser)
    add_batch_option(parser)
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to make")
    arguments = parser.parse_args()
    set_up(arguments.threads)

    documents = read_documents(arguments, arguments.prompt_tokens)
    _check_prompts(arguments, documents)
    model, facts = _load(arguments)
    tokens = _generate(arguments, documents, model)

    provenance: dict[str, Any] = {
        "dataset": arguments.dataset,
        "corpus": documents.provenance,
        "ensemble": "generated",
        "model": json.loads((arguments.model / "provenance.json").read_text()),
        "prefix_token": arguments.prefix_token,
        "prompt_tokens": arguments.prompt_tokens,
        "sampling_temperature": arguments.sampling_temperature,
        "seed": arguments.seed,
    }
    table = tokens_table(documents.doc, tokens, arguments.model)
    versions = software("torch", "transformers", "tokenizers", "numpy", "pyarrow")
    write_table(arguments.out, table, provenance | facts | versions)


def _check_prompts(arguments: argparse.Namespace, documents: Documents) -> None:
    for doc, tokens_t in zip(documents.doc, documents.tokens, strict=True):
        if len(tokens_t) <= arguments.prompt_tokens:
            raise InputError(
                f"datasets.{arguments.dataset}.prompt_tokens: document {doc} of {arguments.corpus} "
                f"has only {len(tokens_t) - 1} tokens, not {arguments.prompt_tokens}; lower it, or "
                f"leave short documents out (min_characters)"
            )


def _load(arguments: argparse.Namespace) -> tuple[LayeredModel, dict[str, Any]]:
    """The whole model, ready on its device, and how it is run."""
    config = transformers.AutoConfig.from_pretrained(arguments.model, local_files_only=True)
    config = config.get_text_config()
    limit = getattr(config, "max_position_embeddings", None)
    if limit and arguments.tokens > limit:
        raise InputError(
            f"datasets.{arguments.dataset}.tokens_per_document: {arguments.tokens} are more than "
            f"the {limit} positions that {arguments.model.name} was made for; lower it"
        )
    whole = {"name": arguments.model.name, "context": None, "stride": None}
    layered, facts = load(argparse.Namespace(**vars(arguments), **whole))
    return layered, {key: facts[key] for key in ("device", "dtype", "attention")}


def _generate(
    arguments: argparse.Namespace, documents: Documents, model: LayeredModel
) -> list[NDArray[np.int32]]:
    """Tokens of each document, the prefix token first, a batch of documents at a time."""
    device = model.device
    reader = Reader(model, model.n_blocks)
    steps = arguments.tokens - arguments.prompt_tokens
    size = (arguments.batch_tokens or BATCH_TOKENS[device.type]) // (1 + arguments.tokens)
    label = f"{arguments.model.name} {arguments.dataset} shard={arguments.shard}"
    made: list[NDArray[np.int32]] = []
    with command.progress(label, "tokens", total=steps * len(documents.doc)) as bar:
        rows = iter(zip(documents.doc, documents.tokens, strict=True))
        while batch := list(itertools.islice(rows, max(1, size))):
            prompt_bt = np.array([tokens_t for _, tokens_t in batch], dtype=np.int64)
            uniform_bs = np.array([draw_uniform(arguments.seed, doc, steps) for doc, _ in batch])
            try:
                drawn_bs = continue_texts(
                    reader,
                    torch.from_numpy(prompt_bt).to(device),
                    steps,
                    Sampling(
                        arguments.sampling_temperature, torch.from_numpy(uniform_bs).to(device)
                    ),
                    bar.update,
                ).token_bs
            except FloatingPointError as error:
                raise InputError(
                    f"models.{arguments.model.name}: {error}; set its dtype to float32, "
                    f"or bfloat16 on a GPU"
                ) from error
            except torch.OutOfMemoryError as error:
                raise InputError(
                    f"{label}: out of GPU memory with {len(batch)} documents at a time; lower "
                    f"generate_tokens_{arguments.model.name}:batch_tokens (set-resources in "
                    f"profiles/) below {len(batch) * (1 + arguments.tokens)}"
                ) from error
            made += list(np.hstack([prompt_bt, drawn_bs.cpu().numpy()]).astype(np.int32))
    return made


if __name__ == "__main__":
    command.run(main)
