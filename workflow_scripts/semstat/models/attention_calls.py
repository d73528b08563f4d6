"""What transformers' attention interface hands to a function, as those who look at it need it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def eager_of(module: nn.Module) -> Callable[..., Any] | None:
    """What a layer calls where the implementation is `eager`, if its file has such a function."""
    function: Callable[..., Any] | None = vars(code_of(module)).get("eager_attention_forward")
    return function


def code_of(module: nn.Module) -> Any:
    """The Python module in which a layer's `forward` looks up what it calls."""
    return sys.modules[type(module).forward.__module__]


def scaling_of(query_xhqn: Tensor, options: Mapping[str, Any]) -> float:
    """What products of queries and keys are multiplied by: 1/√dimensions if nothing is said."""
    scaling: float | None = options.get("scaling")
    return query_xhqn.shape[-1] ** -0.5 if scaling is None else scaling


def for_each_head(query_xhqn: Tensor, x_xhkn: Tensor, least: torch.dtype) -> Tensor:
    """Keys or values once for each head of queries that they serve, in `least` or better."""
    served = query_xhqn.shape[1] // x_xhkn.shape[1]
    return x_xhkn.to(torch.promote_types(x_xhkn.dtype, least)).repeat_interleave(served, dim=1)
