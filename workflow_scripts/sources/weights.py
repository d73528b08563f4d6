"""Weights in safetensors files: what their headers tell before any of them is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open

from ..semstat.errors import InputError, first_line

FLOATS = {
    "F64": torch.float32,  # nothing here is computed in more
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.bfloat16,  # which holds all of their values
    "F8_E5M2": torch.bfloat16,
}
"""What holds each of the formats of floating point without rounding it."""

FLOAT8 = ("F8_E4M3", "F8_E5M2")


class Header(NamedTuple):
    """What a file says of a tensor."""

    file: str
    dtype: str
    shape: tuple[int, ...]


def read_headers(key: str, files: Sequence[str]) -> dict[str, Header]:
    """Every tensor of some files, by its name.

    Parameters
    ----------
    key : where the configuration asks for them, to name in an error.

    Raises
    ------
    InputError
        If a file is damaged, or a tensor in two of them: which one counts, nothing tells.
    """
    headers: dict[str, Header] = {}
    for path in files:
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 (it is no mapping)
                    part = file.get_slice(name)
                    if name in headers:
                        raise InputError(
                            f"{key}: {name} is in {headers[name].file} and in {path}; remove the "
                            f"file that is not of this model"
                        )
                    headers[name] = Header(path, part.get_dtype(), tuple(part.get_shape()))
        except (SafetensorError, OSError) as error:
            raise InputError(f"{key}: {path} {_why_unreadable(path, error)}") from error
    return headers


def _why_unreadable(path: str, error: Exception) -> str:
    with Path(path).open("rb") as file:
        if file.read(20) == b"version https://git-":
            return "is a pointer of Git LFS in place of the weights; run `git lfs pull` there"
    return f"is damaged ({first_line(error)}); fetch it again"


def own_precision(key: str, headers: Mapping[str, Header]) -> torch.dtype:
    """The narrowest of float32, bfloat16 and float16 that holds all weights as they are.

    Raises
    ------
    InputError
        If no tensor is in floating point.
    """
    found = {header.dtype for header in headers.values()} & FLOATS.keys()
    if not found:
        raise InputError(
            f"{key}: no tensor of {', '.join(sorted({h.file for h in headers.values()}))} is in "
            f"floating point; take the model in its original form"
        )
    return reduce(torch.promote_types, (FLOATS[name] for name in found))


def check_floating(key: str, model: Any, headers: Mapping[str, Header]) -> None:
    """Check that no weight is made of integers, which stand for other numbers.

    Raises
    ------
    InputError
        If one is.
    """
    for name, _ in model.named_parameters():
        if name in headers and headers[name].dtype not in FLOATS:
            raise InputError(
                f"{key}: {name} is in {headers[name].dtype}, not in floating point; take the model "
                f"in its original form"
            )


def check_finite(key: str, model: Any) -> None:
    """Check that norms can be taken of weights: each is a number, and so is the sum of its squares.

    A norm squares what it is fed. Where that overflows in float32 it divides by infinity, and turns
    a huge state into zeros without a word.

    Raises
    ------
    InputError
        If a weight is NaN, infinite, or too large for that; or if all of the embedding is 0.
    """
    for name, weight in model.named_parameters():
        if not weight.numel() or not weight.is_floating_point():
            continue
        largest = max(abs(extreme.item()) for extreme in torch.aminmax(weight.detach()))
        if not largest * largest * weight.numel() < torch.finfo(torch.float32).max:
            what = f"values up to {largest:.2g}" if largest < torch.inf else "NaN or infinity"
            raise InputError(
                f"{key}: {name} holds {what}, of which float32 cannot sum the squares; "
                f"these are no trained weights: fetch or train them again"
            )
    embedding = getattr(model.get_input_embeddings(), "weight", None)
    if embedding is not None and not embedding.any():
        raise InputError(
            f"{key}: its embedding is all zeros, so that every token is the same to it; these are "
            f"no trained weights: fetch or train them again"
        )
