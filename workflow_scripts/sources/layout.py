"""Folders in the layout of the hub: the files that a snapshot is made of, whole and only once."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..semstat.errors import InputError
from ..semstat.provenance import digest

SMALL = 20_000_000
"""Bytes up to which a file is read to see whether it has changed, as Snakemake is told too."""

SETTINGS = ("*.json", "*.jinja", "*.model", "*.tiktoken", "*.txt")
"""Configuration and tokenizer, whatever the tokenizer's kind."""

TOKENIZERS = ("tokenizer.json", "vocab.*", "tekken.json", "*.model", "*.tiktoken")
"""Files that tokens stand in."""

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def model_files(key: str, folder: str) -> list[str]:
    """Files of a folder that a snapshot is made of, sorted.

    Hidden files, folders within, other formats of the same weights and anything else are not read.

    Parameters
    ----------
    key : where the configuration asks for it, to name in an error.

    Raises
    ------
    InputError
        If a part of a model is missing, or there are two of one.
    """
    folder = folder.rstrip("/") or "/"
    if not Path(folder).is_dir():
        raise InputError(f"{key}: no folder {folder} (looked in {Path.cwd()}); correct the path")
    names = sorted(path.name for path in Path(folder).iterdir() if path.name[0] != ".")
    settings = [name for name in names if _like(name, *SETTINGS)]
    _check_whole(key, folder, names)
    read = {*settings, *_weights(key, folder, names)}
    if ADAPTER in names:
        read.add(_adapter_weights(key, folder, names))
    for name in sorted(read):
        if not Path(folder, name).exists():
            raise InputError(
                f"{key}: {folder}/{name} is a link to what is not there; fetch the file again"
            )
    return [f"{folder}/{name}" for name in sorted(read) if Path(folder, name).is_file()]


def state_of(files: Sequence[str]) -> list[str]:
    """What differs where files are others than before, even older ones.

    Snakemake looks whether a file is newer than what was made of it. One that was copied over it
    with its old date, or that a link leads to since, need not be.
    """
    found = []
    for file in map(Path, files):
        about = file.stat()
        small = about.st_size <= SMALL
        found.append(f"{file.name} {digest(file) if small else about.st_mtime_ns} {about.st_size}")
    return found


def state_of_texts(files: Sequence[str]) -> str:
    """The same of a corpus, of many files, as one digest; beyond 20 MB of names and sizes."""
    sizes = [Path(file).stat().st_size for file in files]
    small = sum(sizes) <= SMALL
    state = hashlib.sha256()
    for file, size in zip(map(Path, files), sizes, strict=True):
        state.update(f"{file.name} {digest(file) if small else ''} {size}\n".encode())
    return state.hexdigest()


def read_json(key: str, path: str) -> dict[str, Any]:
    """What a JSON file of a folder says.

    Raises
    ------
    InputError
        If it is no JSON object.
    """
    try:
        said = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{key}: {path} cannot be read ({error}); fetch it again") from error
    if not isinstance(said, dict):
        raise InputError(f"{key}: {path} is not a JSON object; fetch it again")
    return said


def _like(name: str, *patterns: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _check_whole(key: str, folder: str, names: list[str]) -> None:
    """A configuration, a tokenizer, and weights that can be read safely."""
    if "config.json" not in names and ADAPTER in names:
        raise InputError(
            f"{key}: {folder} holds an adapter without the model that it changes; put both into "
            f"one folder, or merge them with peft (merge_and_unload) and save what comes out"
        )
    safe = any(_like(name, "*.safetensors") for name in names)
    pickled = [name for name in names if _like(name, *PICKLED)]
    if pickled and not safe:
        # The weights' usual name first: beside them lie optimizers and arguments.
        name = min(pickled, key=lambda name: (not name.startswith("pytorch_model"), name))
        raise InputError(
            f"{key}: the weights of {folder} are pickled ({name}), and pickles are never loaded, "
            f"since they can run code; if you trust them, convert them once: python -c "
            f'\'from transformers import AutoModelForCausalLM as M; f = "{folder}"; '
            f"M.from_pretrained(f).save_pretrained(f)'"
        )
    for wanted, found in {
        "config.json": "config.json" in names,
        "weights (*.safetensors)": safe,
        "tokenizer (tokenizer.json)": any(_like(name, *TOKENIZERS) for name in names),
    }.items():
        if not found:
            raise InputError(
                f"{key}: {folder} holds no {wanted} (looked in {Path.cwd()}); correct the path, or "
                f"put there what is missing"
            )


def _weights(key: str, folder: str, names: list[str]) -> list[str]:
    """Names of the files of weights, of which there is one set."""
    named = read_json(key, f"{folder}/config.json").get("transformers_weights")
    if named is None and {SINGLE, INDEX} <= set(names):
        if set(_shards(key, folder, INDEX)) != {SINGLE}:
            raise InputError(
                f"{key}: {folder} holds two sets of weights, {SINGLE} and those of {INDEX}; "
                f"remove one of them"
            )
        named = SINGLE
    first = named or (SINGLE if SINGLE in names else INDEX)
    weights = _shards(key, folder, first) if str(first).endswith(".index.json") else [first]
    for name in weights:
        if name not in names or not _like(name, "*.safetensors"):
            there = [name for name in names if _like(name, "*.safetensors")]
            raise InputError(
                f"{key}: {folder} lacks the weights {name}, it holds {', '.join(there[:3])}; "
                f"fetch them again, or rename a complete set to {SINGLE}"
            )
    return weights


def _shards(key: str, folder: str, index: str) -> list[str]:
    """Names of the files that an index names."""
    if not Path(folder, index).is_file():
        return [SINGLE]
    try:
        return sorted(set(read_json(key, f"{folder}/{index}")["weight_map"].values()))
    except (KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{key}: {folder}/{index} names no weights; fetch it again") from error


def _adapter_weights(key: str, folder: str, names: list[str]) -> str:
    if ADAPTER_WEIGHTS not in names:
        raise InputError(
            f"{key}: {folder} holds {ADAPTER} without {ADAPTER_WEIGHTS}; add it, or remove the "
            f"former if no adapter is meant (pickles such as adapter_model.bin are never loaded)"
        )
    return ADAPTER_WEIGHTS
