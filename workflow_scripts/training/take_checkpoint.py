"""The command that makes a model of weights that a training has kept."""

from __future__ import annotations

from pathlib import Path

import torch
import transformers
from safetensors.torch import load_model

from ..running.command import run
from ..semstat.provenance import digest
from ..sources.layout import read_json
from ..sources.snapshots import write_snapshot


def take_checkpoint(
    *, name: str, like: Path, weights: Path, tokens: int, blocks: int, out: Path
) -> None:
    """Make the snapshot that a model was after so many tokens of its training.

    Parameters
    ----------
    name : name of the model in the configuration.
    like : snapshot of the trained model.
    weights : safetensors file that its training has kept.
    tokens : that it was trained on by then.
    blocks : number of blocks that it has.
    out : folder to make the snapshot in.
    """
    transformers.logging.set_verbosity_error()
    config = transformers.AutoConfig.from_pretrained(like, trust_remote_code=False)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    load_model(model, weights)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(like)
    trained = read_json(f"models.{name}.like", f"{like}/provenance.json")
    source = {"source": "checkpoint", "like": like.name, "tokens": tokens}
    facts = {"weights": digest(weights), "trained_on": trained["trained_on"]}
    write_snapshot(name, source, model, tokenizer, blocks, out, **facts)


if __name__ == "__main__":
    run(take_checkpoint)
