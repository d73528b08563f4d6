"""Quantised checkpoints: what can be turned back into floating point exactly, before it is loaded.

transformers knows two dozen ways; those of `EXACT` it undoes on any CPU by one product a weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..semstat.errors import InputError
from .weights import FLOAT8, Header

EXACT = {"fp8": torch.float32, "mxfp4": torch.bfloat16}
"""Methods that are undone here, and what holds the products: those of mxfp4 have three bits."""

SCALES = ("weight_scale_inv", "scale", "qscale_weight")
"""Names that the scales of a `weight` of float8 have."""


def method_of(key: str, folder: str, config: Mapping[str, Any]) -> str | None:
    """How the weights of a folder are quantised, if they are.

    Parameters
    ----------
    config : what config.json says.

    Raises
    ------
    InputError
        If that cannot be undone here.
    """
    asked = _asked(config)
    if not asked:
        return None
    named = asked.get("quant_method") if isinstance(asked, dict) else None
    method = named or "an unnamed method"
    if method not in EXACT:
        raise InputError(
            f"{key}: the weights of {folder} are quantised by {method} (config.json), which is not "
            f"undone here (only {' and '.join(EXACT)} are); take the model that it was made from, "
            f"or dequantise and save it with the tool that made it"
        )
    if method == "fp8":
        _block_of(key, asked)
    return str(method)


def _asked(config: Mapping[str, Any]) -> Any:
    """What config.json says of quantisation, under any of the names that it has had."""
    parts = [part for part in (config, config.get("text_config")) if isinstance(part, dict)]
    names = ("quantization_config", "compression_config", "quantization")
    return next((part[name] for name in names for part in parts if part.get(name)), None)


def _block_of(key: str, asked: Mapping[str, Any]) -> tuple[int, int] | None:
    """Rows and columns that share a scale; None: all of a weight, or each row."""
    block = asked.get("weight_block_size")
    if block is None:
        return None
    if not isinstance(block, list) or [type(size) for size in block] != [int, int]:
        raise InputError(
            f"{key}: weight_block_size of config.json is {block}, not two numbers; correct it"
        )
    return block[0], block[1]


def check_scales(
    key: str, config: Mapping[str, Any], method: str, headers: Mapping[str, Header]
) -> None:
    """Check that every quantised weight has scales, and that they are of whole blocks.

    transformers leaves a weight without scales as it is, and stretches blocks to fit.

    Raises
    ------
    InputError
        If one has not.
    """
    if method == "mxfp4":
        for name in headers:
            stem = name.removesuffix("_blocks")
            if stem != name and f"{stem}_scales" not in headers:
                raise InputError(f"{key}: {name} has no scales {stem}_scales; fetch it again")
        return
    block = _block_of(key, _asked(config))
    for name, header in headers.items():
        if header.dtype in FLOAT8:
            _check_blocks(key, name, header.shape, block, headers)
        elif header.dtype == "I8":
            raise InputError(
                f"{key}: {name} is in integers, not in float8 as config.json says; take the model "
                f"that it was made from"
            )


def _check_blocks(
    key: str,
    name: str,
    shape: tuple[int, ...],
    block: tuple[int, int] | None,
    headers: Mapping[str, Header],
) -> None:
    stem = name.removesuffix("weight")
    names = [f"{name}_scale_inv", *(stem + scale for scale in SCALES)]
    grid = next((headers[each].shape for each in names if each in headers), None)
    if grid is None:
        raise InputError(
            f"{key}: {name} is in float8 without scales ({names[0]}); fetch it again, or take the "
            f"model that it was made from"
        )
    sides = zip(shape[-2:], (1, 1, *grid)[-2:], block or (None, 1), strict=False)
    for size, parts, of_block in sides:
        whole = parts in (1, size) if of_block is None else parts == 1 or parts * of_block == size
        if not whole:
            raise InputError(
                f"{key}: {name} of {' × '.join(map(str, shape))} is not in whole blocks "
                f"(scales {' × '.join(map(str, grid))}, weight_block_size {block}), which "
                f"transformers would stretch; take the model that it was made from"
            )
