"""What a model writes itself: as a dataset, and under the conditions of `generation`."""

from __future__ import annotations

import math

from ..configuration.checks import (
    check_drawn_at,
    check_limit,
    documents_limit,
    pairs,
    tokens_limit,
)
from ..configuration.names import check_readable
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("tokens", "energies")

OF_STUDY = ("found_on", "fit_to", "prompts", "write")
"""Keys that a condition may have of its own, and else has of its study."""

OF_SCHEDULE = ("slope", "knots", "evaluations", "start")
"""Keys of conditions that say how a schedule is found."""


def resolve(study: Spec) -> None:
    """Check that there is something to write."""
    for name, spec in study["datasets"].items():
        if is_generated(spec):
            _check_lengths(name, spec)
    for where, spec in pairs("generation", study, "conditions"):
        check_readable(f"{where}.conditions", "condition", spec["conditions"])
        for name, condition in spec["conditions"].items():
            _fill(f"{where}.conditions.{name}", condition, spec)
        _check_prompts(where, spec, study["datasets"][spec["dataset"]])


def _fill(where: str, condition: Spec, spec: Spec) -> None:
    """Give a condition what its study says, and check what it says itself."""
    for key in OF_STUDY:
        condition.setdefault(key, spec[key])
    check_drawn_at(f"{where}.sampling_temperature", condition.get("sampling_temperature", 0))
    if condition.get("coldest", 0) > condition.get("hottest", math.inf):
        raise InputError(
            f"{where}.coldest: {condition['coldest']} is above `hottest`, which is "
            f"{condition['hottest']}; lower it"
        )
    if condition.get("batch", 1) > spec["runs"]:
        raise InputError(
            f"{where}.batch: {condition['batch']} is more than the {spec['runs']} `runs` of a "
            f"prompt; lower it"
        )
    if condition["method"] != "scheduled":
        return
    if "target" not in spec:
        raise InputError(
            f"{where}.schedule: what it is to hold is not said; add `target`, the marginal entropy "
            f"in nats, beside `conditions`"
        )
    if condition["fit_to"] > condition["write"]:
        raise InputError(
            f"{where}.fit_to: {condition['fit_to']} is more than the {condition['write']} tokens "
            f"that are written (`write`); lower it"
        )


def _check_prompts(where: str, spec: Spec, dataset: Spec) -> None:
    documents, raise_it = documents_limit(dataset)
    conditions = spec["conditions"].values()
    most = max(condition[key] for condition in conditions for key in ("prompts", "found_on"))
    if most > documents:
        raise InputError(
            f"{where}.prompts: {most} is more than the {documents} documents of "
            f"{spec['dataset']}; lower it (or `found_on`), or raise its `{raise_it}`"
        )
    tokens, name = spec["prompt_tokens"], spec["dataset"]
    check_limit(f"{where}.prompt_tokens", tokens, name, tokens_limit(dataset))


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
    check_drawn_at(f"datasets.{name}.sampling_temperature", spec["sampling_temperature"])
    if prompt >= tokens:
        raise InputError(
            f"datasets.{name}.prompt_tokens: {prompt} leave none of {tokens} tokens to write; "
            f"lower it or raise `tokens_per_document`"
        )


# What the rules ask.


def is_generated(spec: Spec) -> bool:
    """Whether a model writes a dataset itself."""
    return bool(spec["source"] == "generated")


def own_options(condition: Spec) -> list[str]:
    """Keys of a condition that its method takes, in a fixed order."""
    others = {"method", "schedule", *OF_STUDY, *OF_SCHEDULE}
    return sorted(condition.keys() - others)


def schedule_options(condition: Spec) -> list[str]:
    """Keys of a condition that finding its schedule takes."""
    return [key for key in OF_SCHEDULE if key in condition]
