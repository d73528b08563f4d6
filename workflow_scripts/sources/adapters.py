"""Adapters beside the weights of the model that they change."""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..semstat.errors import InputError, first_line
from ..semstat.provenance import software
from .layout import ADAPTER, ADAPTER_WEIGHTS, read_json

log = logging.getLogger(__name__)


def merge_adapter(key: str, folder: Path, model: Any) -> tuple[Any, dict[str, Any]]:
    """Merge the adapter of a folder into the model that lies there, in the model's precision.

    Parameters
    ----------
    key : where the configuration asks for it, to name in an error.

    Returns
    -------
    The model, and what it was merged by.

    Raises
    ------
    InputError
        If peft is not installed, or cannot merge it whole.
    """
    if find_spec("peft") is None:
        raise InputError(
            f"{key}: {folder} holds an adapter ({ADAPTER}), and peft, which merges it, is not "
            f"installed; run `pip install peft`, or merge it yourself (merge_and_unload), "
            f"or remove {ADAPTER} to take the model without it"
        )
    peft: Any = import_module("peft")
    kind = read_json(key, f"{folder}/{ADAPTER}").get("peft_type")
    try:
        with_adapter = peft.get_peft_model(
            model, peft.PeftConfig.from_pretrained(str(folder)), autocast_adapter_dtype=False
        )
        found = with_adapter.load_adapter(str(folder), "default", torch_device="cpu")
        merged = with_adapter.merge_and_unload(safe_merge=True)
    except Exception as error:
        # peft raises anything where an adapter is damaged, of another model, or of a strange kind.
        raise InputError(
            f"{key}: the adapter of {folder} ({kind}) cannot be merged ({first_line(error)}); "
            f"merge it yourself and save what comes out"
        ) from error
    if found.missing_keys or found.unexpected_keys:
        strange = min([*found.missing_keys, *found.unexpected_keys])
        raise InputError(
            f"{key}: {folder}/{ADAPTER_WEIGHTS} is not the adapter of {ADAPTER} or not of this "
            f"model ({strange}); correct either"
        )
    log.info("merged the adapter (%s)", kind)
    return merged, {"kind": kind, "merged by": software("peft")}
