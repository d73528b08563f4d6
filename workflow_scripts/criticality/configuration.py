"""The key `criticality`: sweeps of the sampling temperature."""

from __future__ import annotations

from ..configuration.checks import (
    check_drawn_at,
    check_limit,
    check_name,
    check_text,
    documents_limit,
    tokens_limit,
)
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("tokens", "energies")

OF_MODEL = "model"
"""Who writes, where it is the model and no null."""


def resolve(study: Spec) -> None:
    """Sampling temperatures and lengths of each sweep become ascending."""
    pairs: list[tuple[str, str]] = []
    for at, spec in enumerate(study["criticality"]):
        where = f"criticality.{at}"
        pair = spec["model"], spec["dataset"]
        check_name(f"{where}.model", spec["model"], study["models"], "is not one of the models")
        check_text(f"{where}.dataset", spec["dataset"], study["datasets"])
        if pair in pairs:
            raise InputError(
                f"{where}: the same model and dataset as criticality.{pairs.index(pair)}; remove "
                f"it, or add its sampling temperatures there"
            )
        pairs.append(pair)
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


FEWEST_TEXTS = 8


# What the rules ask.


def writers(spec: Spec) -> list[str]:
    """Who writes in a sweep: the model, and nulls."""
    return [OF_MODEL, *spec["nulls"]]
