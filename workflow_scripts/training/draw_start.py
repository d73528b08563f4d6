"""The command that makes what a training starts from: fresh weights and a tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers

from ..running.command import run
from ..semstat.errors import InputError, first_line
from ..semstat.tables import provenance_of
from ..sources.snapshots import write_snapshot
from ..tokens.documents import Shard, Texts, read_corpus
from .starts import configuration_of, train_tokenizer


def draw_start(
    *,
    name: str,
    architecture: str,
    prefix_token: str,
    blocks: int,
    seed: int = 0,
    tokenizer_of: Path | None = None,
    corpus: Path | None = None,
    made_of: str = "",
    last_documents: int = 0,
    beyond: int = 0,
    vocabulary: int = 0,
    out: Path,
) -> None:
    """Draw fresh weights for an architecture, with another model's tokenizer or one of a corpus.

    Parameters
    ----------
    name : name of the model in the configuration.
    architecture : model_type and what transformers' configuration class takes, as a JSON object.
    prefix_token : token put before every document.
    blocks : number of blocks that the model has.
    seed : seed of the weights.
    tokenizer_of : snapshot of a model whose tokenizer to take.
    corpus : Parquet file of documents to make one of instead.
    made_of : name of that dataset.
    last_documents : so many of the last ones.
    beyond : documents, from the first on, that are measured.
    vocabulary : tokens of it.
    out : folder to make the snapshot in.
    """
    transformers.logging.set_verbosity_error()
    key = f"models.{name}"
    source: dict[str, object] = {"source": "trained", "architecture": json.loads(architecture)}
    if tokenizer_of is None:
        assert corpus is not None  # noqa: S101
        texts = read_corpus(corpus)
        about = Texts(model=out, corpus=corpus, dataset=made_of, prefix_token=prefix_token)
        taken = Shard(documents_per_shard=last_documents, beyond=beyond).within(about, len(texts))
        read = (texts[1][doc].as_py() for doc in taken)
        tokenizer = train_tokenizer(f"{key}.tokenizer", read, vocabulary, prefix_token)
        source["tokenizer"] = {"corpus": provenance_of(texts.schema), "documents": last_documents}
    else:
        tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(tokenizer_of)
        source["tokenizer"] = {"of": tokenizer_of.name}
    prefix = tokenizer.backend_tokenizer.token_to_id(prefix_token)
    if prefix is None:
        raise InputError(
            f"{key}.prefix_token: {prefix_token!r} is not in its tokenizer; correct it"
        )
    size = tokenizer.backend_tokenizer.get_vocab_size()
    config = configuration_of(f"{key}.architecture", json.loads(architecture), size, prefix)
    torch.manual_seed(seed)
    try:
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    except Exception as error:
        # A model's class may raise anything where a configuration does not suit it.
        raise InputError(
            f"{key}.architecture: transformers makes no causal language model of it "
            f"({type(error).__name__}: {first_line(error)}); correct it"
        ) from error
    write_snapshot(name, source | {"seed": seed}, model, tokenizer, blocks, out)


if __name__ == "__main__":
    run(draw_start)
