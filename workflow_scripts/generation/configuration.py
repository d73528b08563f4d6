"""The entries of datasets that a model writes itself."""

from __future__ import annotations

from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("tokens",)

COLDEST = 1e-6
"""Sampling temperature below which float32 logits tell no more than which one is the largest."""


def resolve(study: Spec) -> None:
    """Check that there is something to write."""
    for name, spec in study["datasets"].items():
        if is_generated(spec):
            _check_lengths(name, spec)


def _check_lengths(name: str, spec: Spec) -> None:
    tokens, prompt = spec["tokens_per_document"], spec["prompt_tokens"]
    if tokens is None:
        raise InputError(
            f"datasets.{name}.tokens_per_document: how much to write is not said, neither here nor "
            f"in {spec['of']}; add it"
        )
    if prompt == spec["sampling_temperature"] == 0:
        raise InputError(
            f"datasets.{name}.sampling_temperature: without a prompt, 0 would write one document "
            f"again and again; raise it or `prompt_tokens`"
        )
    if 0 < spec["sampling_temperature"] < COLDEST:
        raise InputError(
            f"datasets.{name}.sampling_temperature: logits divided by "
            f"{spec['sampling_temperature']} may be no numbers; write 0, which takes the most "
            f"probable token, or at least {COLDEST}"
        )
    if prompt >= tokens:
        raise InputError(
            f"datasets.{name}.prompt_tokens: {prompt} leave none of {tokens} tokens to write; "
            f"lower it or raise `tokens_per_document`"
        )


# What the rules ask.


def is_generated(spec: Spec) -> bool:
    """Whether a model writes a dataset itself."""
    return bool(spec["source"] == "generated")
