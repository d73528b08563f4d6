"""The key `criticality`: sweeps of the sampling temperature."""

from __future__ import annotations

from ..configuration.checks import (
    check_drawn_at,
    check_limit,
    check_text,
    documents_limit,
    pairs,
    tokens_limit,
)
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("tokens", "energies")

FEWEST_TEXTS = 8
"""Texts at a sampling temperature, of which anything is told."""

OF_MODEL = "model"
"""Who writes, where it is the model and no null."""


def resolve(study: Spec) -> None:
    """Sampling temperatures and lengths of each sweep become ascending."""
    for where, spec in pairs("criticality", study, "sampling temperatures"):
        _resolve(where, spec, study["datasets"])


def _resolve(where: str, spec: Spec, datasets: dict[str, Spec]) -> None:
    name, dataset = spec["dataset"], datasets[spec["dataset"]]
    spec.setdefault("counted_on", name)
    check_text(f"{where}.counted_on", spec["counted_on"], datasets)
    check_limit(f"{where}.prompts", spec["prompts"], name, documents_limit(dataset))
    check_limit(f"{where}.prompt_tokens", spec["prompt_tokens"], name, tokens_limit(dataset))
    if spec["prompts"] * spec["runs"] < FEWEST_TEXTS:
        raise InputError(
            f"{where}.runs: {spec['prompts']} prompts with {spec['runs']} texts each are fewer "
            f"than {FEWEST_TEXTS} texts at a sampling temperature; raise it, or `prompts`"
        )
    for temperature in spec["sampling_temperatures"]:
        check_drawn_at(f"{where}.sampling_temperatures", temperature)
    # They are written in paths, where −0.0 is none.
    spec["sampling_temperatures"] = sorted(abs(float(t)) for t in spec["sampling_temperatures"])
    spec["lengths"] = sorted(spec["lengths"])


# What the rules ask.


def writers(spec: Spec) -> list[str]:
    """Who writes in a sweep: the model, and nulls."""
    return [OF_MODEL, *spec["nulls"]]
