"""The command that draws fresh weights for an architecture."""

from __future__ import annotations

from pathlib import Path

import torch
import transformers

from ..running.command import run
from .snapshots import write_snapshot


def draw_random_model(
    *, name: str, like: str, architecture: Path, seed: int = 0, blocks: int, out: Path
) -> None:
    """Make the null model of another one: its architecture with weights by its initialisation.

    Parameters
    ----------
    name : name of the model in the configuration.
    like : name of the other one.
    architecture : snapshot of the other one.
    seed : seed of the weights.
    blocks : number of blocks that it has.
    out : folder to make the snapshot in.
    """
    transformers.logging.set_verbosity_error()
    config = transformers.AutoConfig.from_pretrained(architecture, trust_remote_code=False)
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(architecture)
    source = {"source": "random", "like": like, "seed": seed}
    write_snapshot(name, source, model, tokenizer, blocks, out)


if __name__ == "__main__":
    run(draw_random_model)
