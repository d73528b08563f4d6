"""The command that takes a model from a local folder."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from .folders import load_folder
from .snapshots import write_snapshot


def copy_local_model(*, name: str, path: Path, blocks: int, out: Path) -> None:
    """Make the snapshot of a model that lies in a local folder, in the layout of the hub.

    Parameters
    ----------
    name : name of the model in the configuration.
    path : folder of config.json, safetensors and tokenizer.
    blocks : number of blocks that it has.
    out : folder to make the snapshot in.
    """
    model, tokenizer, facts = load_folder(f"models.{name}.path", path)
    source = {"source": "path", "path": str(path)}
    write_snapshot(name, source, model, tokenizer, blocks, out, **facts)


if __name__ == "__main__":
    run(copy_local_model)
