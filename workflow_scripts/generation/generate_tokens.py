"""The command that lets a model write a shard of tokens."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch

from ..models.loading import Running, finite, load
from ..models.readers import texts_at_once
from ..running.command import progress, run
from ..semstat.errors import InputError
from ..semstat.generation.sampling import Sampling, draw_uniform
from ..semstat.generation.writing import continue_texts
from ..semstat.models.decoder import LayeredModel
from ..semstat.models.replay import Reader
from ..semstat.provenance import Provenance
from ..semstat.tables import write_table
from ..tokens.documents import (
    Documents,
    Shard,
    Texts,
    Tokens,
    check_distinct,
    read_documents,
    tokens_table,
)

GPU_SHARE = 0.2
"""Of a GPU's free memory, for keys and values, which are copied as they grow."""


def generate_tokens(
    *,
    corpus: Path,
    dataset: str,
    prefix_token: str,
    special_tokens_in_text: bool = False,
    shard: Shard,
    prompt_tokens: int = 16,
    tokens_per_document: int,
    sampling_temperature: float,
    seed: int = 0,
    running: Running,
    out: Path,
) -> None:
    """Let a model write one shard: its own samples after the first tokens of documents.

    What is drawn for a document depends on the seed and on its number only, so that adding a shard
    changes no other.

    Parameters
    ----------
    corpus : Parquet file of documents.
    dataset : name of the dataset.
    prefix_token : token put before every document.
    special_tokens_in_text : let a special token's name in a text be that token; else it is text.
    prompt_tokens : tokens taken of each document, the prefix token not counted.
    tokens_per_document : tokens to make, prompt included, without prefix.
    sampling_temperature : tokens are drawn from softmax(logits / sampling_temperature); 0 takes the
        likeliest one.
    seed : seed of the samples.
    out : Parquet file to make.
    """
    texts = Texts(
        model=running.model,
        corpus=corpus,
        dataset=dataset,
        prefix_token=prefix_token,
        special_tokens_in_text=special_tokens_in_text,
    )
    documents = read_documents(texts, shard.within, prompt_tokens)
    _check_prompts(texts, documents, prompt_tokens)
    key = f"{texts.key}.tokens_per_document"
    model, facts = load(running, tokens_per_document, key)
    steps = tokens_per_document - prompt_tokens
    label = f"{running.called} {dataset} shard={shard.shard}"
    tokens = _generate(running, documents, model, steps, sampling_temperature, seed, label)
    if sampling_temperature == 0:  # else they are the same by chance
        made = zip(documents.doc, tokens, strict=True)
        check_distinct(texts.key, made, "raise prompt_tokens or sampling_temperature")
    provenance = Provenance(
        dataset=dataset,
        corpus=documents.provenance,
        ensemble="generated",
        model=running.snapshot(),
        prefix_token=prefix_token,
        prompt_tokens=prompt_tokens,
        sampling_temperature=sampling_temperature,
        seed=seed,
        **facts,
    )
    packages = ("torch", "transformers", "tokenizers", "numpy", "pyarrow")
    provenance = provenance.then("written by", *packages)
    write_table(out, tokens_table(documents.doc, tokens, running.model), provenance)


def _check_prompts(texts: Texts, documents: Documents, prompt_tokens: int) -> None:
    for doc, tokens_t in zip(documents.doc, documents.tokens, strict=True):
        if len(tokens_t) <= prompt_tokens:
            raise InputError(
                f"{texts.key}.prompt_tokens: document {doc} of {texts.corpus} has only "
                f"{len(tokens_t) - 1} tokens, not {prompt_tokens}; lower it, or leave short "
                f"documents out (min_characters)"
            )


def _generate(
    running: Running,
    documents: Documents,
    model: LayeredModel,
    steps: int,
    sampling_temperature: float,
    seed: int,
    label: str,
) -> list[Tokens]:
    """Tokens of each document, the prefix token first, a batch of documents at a time."""
    reader = Reader(model, model.n_blocks)
    length = len(documents.tokens[0]) + steps
    size = texts_at_once(running, reader, length, gpu_share=GPU_SHARE)
    made: list[Tokens] = []
    with progress(label, "tokens", total=steps * len(documents.doc)) as bar:
        rows = iter(zip(documents.doc, documents.tokens, strict=True))
        while batch := list(itertools.islice(rows, size)):
            prompt_xt = np.array([tokens_t for _, tokens_t in batch], dtype=np.int64)
            uniform_xt = np.array([draw_uniform(seed, doc, steps) for doc, _ in batch])
            sampling = Sampling(sampling_temperature, torch.from_numpy(uniform_xt).to(model.device))
            try:
                with finite(running):
                    drawn_xt = continue_texts(
                        reader,
                        torch.from_numpy(prompt_xt).to(model.device),
                        steps,
                        sampling,
                        bar.update,
                    ).token_xt
            except torch.OutOfMemoryError as error:
                raise InputError(
                    f"{label}: out of GPU memory with {len(batch)} documents at a time; lower "
                    f"generate_tokens_{running.called}:batch_tokens (set-resources in "
                    f"profiles/) below {len(batch) * length}"
                ) from error
            made += list(np.hstack([prompt_xt, drawn_xt.cpu().numpy()]).astype(np.int32))
    return made


if __name__ == "__main__":
    run(generate_tokens)
