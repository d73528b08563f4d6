"""Models from a local folder in the layout of the hub."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers

from ..semstat.errors import InputError, first_line
from .adapters import merge_adapter
from .keys import check_keys, check_names, check_ties
from .layout import ADAPTER, ADAPTER_WEIGHTS, model_files, read_json
from .quantised import EXACT, check_scales, method_of
from .settings import check_rotary, forget_how_to_run
from .tokenizer_files import load_tokenizer, with_chat_template
from .weights import check_floating, own_precision, read_headers

SAFELY: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}

log = logging.getLogger(__name__)


def load_folder(key: str, folder: Path) -> tuple[Any, Any, dict[str, Any]]:
    """Load a local folder in the layout of the hub: model, tokenizer, and what was done to them.

    Weights keep the precision of their files, quantised ones are dequantised, an adapter is merged.

    Parameters
    ----------
    key : where the configuration asks for it, to name in an error.

    Raises
    ------
    InputError
        If it does not hold the whole of a model, and of no other, that can be loaded safely.
    """
    files = [Path(file) for file in model_files(key, str(folder))]
    config = read_json(key, f"{folder}/config.json")
    check_rotary(key, f"{folder}/config.json", config)
    method = method_of(key, str(folder), config)
    weights = [str(file) for file in files if file.suffix == ".safetensors"]
    headers = read_headers(key, [file for file in weights if Path(file).name != ADAPTER_WEIGHTS])
    dtype = own_precision(key, headers)
    if method:
        check_scales(key, config, method, headers)
        dtype = torch.promote_types(dtype, EXACT[method])
    adapted = any(file.name == ADAPTER for file in files)
    if adapted:
        dtype = torch.float32  # a sum is rounded once
    if "auto_map" in config:
        log.info("its own code is not run: the model is the one of transformers of this name")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    base = [file for file in files if file.name not in (ADAPTER, ADAPTER_WEIGHTS)]
    with _only(base) as view:
        with _blamed(key, folder, view, "a causal language model"):
            model, found = _load_weights(view, dtype, method)
        check_keys(key, f"the weights of {folder}", found, model.config, headers)
        check_names(key, f"the weights of {folder}", model, headers)
        check_floating(key, model, headers)
        check_ties(key, f"the weights of {folder}", model)
        with _blamed(key, folder, view, "a fast tokenizer"):
            tokenizer = with_chat_template(load_tokenizer(view), view)
    facts: dict[str, Any] = {}
    if method:
        log.info("dequantised the weights, which are in %s", method)
        facts["dequantised"] = method
    if adapted:
        model, facts["adapter"] = merge_adapter(key, folder, model)
    return model, tokenizer, facts


@contextmanager
def _only(files: Sequence[Path]) -> Iterator[Path]:
    """A folder of nothing but some files: what else lies beside them is not looked at."""
    with tempfile.TemporaryDirectory() as name:
        for file in files:
            Path(name, file.name).symlink_to(file.resolve())
        yield Path(name)


@contextmanager
def _blamed(key: str, folder: Path, view: Path, what: str) -> Iterator[None]:
    """Turn whatever transformers raises where a file is damaged or strange into one sentence."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        said = first_line(error).replace(str(view), str(folder))
        raise InputError(
            f"{key}: {folder} cannot be loaded as {what} ({said}); fetch it again or correct it"
        ) from error


def _load_weights(view: Path, dtype: torch.dtype, method: str | None) -> tuple[Any, dict[str, Any]]:
    config = transformers.AutoConfig.from_pretrained(view, **SAFELY)
    forget_how_to_run(config)
    if method:
        for part in (config, config.get_text_config()):
            if getattr(part, "quantization_config", None):
                part.quantization_config["dequantize"] = True
    loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
        view,
        config=config,
        dtype=dtype,
        use_safetensors=True,
        ignore_mismatched_sizes=True,  # they are told of below
        output_loading_info=True,
        **SAFELY,
    )
    model, found = loaded
    for part in (model.config, model.config.get_text_config()):
        if hasattr(part, "quantization_config"):
            del part.quantization_config
    return model, found
