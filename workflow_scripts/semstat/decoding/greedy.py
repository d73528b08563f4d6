"""Greedy decoding: the most probable token."""

from __future__ import annotations

from .processed import Processed


def greedy() -> Processed:
    """The most probable token."""
    return Processed(lambda _ids_xt, logits_xv: logits_xv)
