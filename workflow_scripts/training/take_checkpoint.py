"""The command that makes a model of weights that a training has kept."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_model, save_file

from ..running.command import run
from ..semstat.errors import InputError
from ..semstat.provenance import digest
from ..sources.layout import read_json
from ..sources.snapshots import write_snapshot


def take_checkpoint(
    *, name: str, like: Path, kept: Path, tokens: int, blocks: int, out: Path
) -> None:
    """Make the snapshot that a model was after so many tokens of its training.

    Parameters
    ----------
    name : name of the model in the configuration.
    like : snapshot of the trained model.
    kept : safetensors file of the weights that its training has kept.
    tokens : that it was trained on by then.
    blocks : number of blocks that it has.
    out : folder to make the snapshot in.
    """
    transformers.logging.set_verbosity_error()
    config = transformers.AutoConfig.from_pretrained(like, trust_remote_code=False)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    _load(model, kept, tokens)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(like)
    trained = read_json(f"models.{name}.like", f"{like}/provenance.json")
    source = {"source": "checkpoint", "like": like.name, "tokens": tokens}
    facts = {"kept": digest(kept), "trained_on": trained["trained_on"]}
    write_snapshot(name, source, model, tokenizer, blocks, out, **facts)


def _load(model: Any, kept: Path, tokens: int) -> None:
    """Load the weights after so many tokens, of all that were kept."""
    with safe_open(kept, framework="pt") as file, tempfile.TemporaryDirectory() as folder:
        of_all = [name.partition("/") for name in file.keys()]  # noqa: SIM118 (it is no mapping)
        here = {
            name: file.get_tensor(f"{at}/{name}") for at, _, name in of_all if at == str(tokens)
        }
        if not here:
            raise InputError(
                f"{kept}: holds no weights after {tokens} tokens; delete it and run snakemake again"
            )
        alone = Path(folder) / "model.safetensors"
        save_file(here, alone)
        load_model(model, alone)  # which knows of weights that are tied


if __name__ == "__main__":
    run(take_checkpoint)
