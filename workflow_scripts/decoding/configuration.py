"""The key `decoding`: prompts that models continue by one method or another."""

from __future__ import annotations

from typing import Any

from ..configuration.checks import (
    check_drawn_at,
    check_layer,
    check_limit,
    documents_limit,
    pairs,
    tokens_limit,
)
from ..configuration.names import check_readable
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("tokens", "energies")


def refuse_old(config: Any) -> None:
    """Decoding was a part of steering once; say what to write instead."""
    steered = config.get("steering") if isinstance(config, dict) else None
    for at, spec in enumerate(steered if isinstance(steered, list) else ()):
        if isinstance(spec, dict) and "decoding" in spec:
            raise InputError(
                f"steering.{at}.decoding: decoding is a key of its own now; leave it out, and name "
                f"model, dataset and conditions under `decoding`, as config.yaml does"
            )


def resolve(study: Spec) -> None:
    """Check that there are such prompts; values of each curve become ascending."""
    for where, spec in pairs("decoding", study, "conditions"):
        name, dataset = spec["dataset"], study["datasets"][spec["dataset"]]
        check_limit(f"{where}.prompts", spec["prompts"], name, documents_limit(dataset))
        check_limit(f"{where}.prompt_tokens", spec["prompt_tokens"], name, tokens_limit(dataset))
        check_readable(f"{where}.conditions", "condition", spec["conditions"])
        for name, condition in spec["conditions"].items():
            _check_condition(f"{where}.conditions.{name}", condition, spec["write"])
            if "layer" in condition:
                key = f"{where}.conditions.{name}.layer"
                check_layer(key, condition["layer"], spec["model"], study["models"])


def _check_condition(where: str, condition: Spec, write: int) -> None:
    curves = [key for key, value in condition.items() if isinstance(value, list)]
    if len(curves) > 1:
        raise InputError(
            f"{where}.{curves[1]}: a list, as {curves[0]} is, and a condition is a curve over one "
            f"key; write one number, or make several conditions of it"
        )
    for key in curves:
        condition[key] = sorted(condition[key])
    drawn_at = condition.get("sampling_temperature", 0)
    for temperature in drawn_at if isinstance(drawn_at, list) else [drawn_at]:
        check_drawn_at(f"{where}.sampling_temperature", temperature)
    patience = condition.get("patience", 0)
    longest = max(patience) if isinstance(patience, list) else patience
    if longest > write:
        raise InputError(
            f"{where}.patience: {longest} is more than the {write} tokens to write, so no text is "
            f"ever judged; lower it"
        )


# What the rules ask.


def method_options(condition: Spec) -> list[str]:
    """Keys of a condition that its method takes, in a fixed order."""
    return sorted(condition.keys() - {"method"})


def values_in(condition: Spec) -> int:
    """Values of the key over which a condition is a curve."""
    return max((len(value) for value in condition.values() if isinstance(value, list)), default=1)
