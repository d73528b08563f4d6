"""The key `steering` of the configuration, cross-checked.

Imported by the Snakefile, hence by every cluster job: nothing heavy here.
"""

from __future__ import annotations

import math
from typing import Any

from ..semstat.errors import InputError

Spec = dict[str, Any]

UNFIT = {
    "random": "has random weights, so there is nothing to steer towards",
    "tuned_lens": "is a lens, and the model that it is for is to be steered",
}
"""Sources of models that are not steered, and why."""


def resolve_steering(study: Spec) -> list[Spec]:
    """Entries of `steering`, each of a model with weights; layers and effects ascending.

    Parameters
    ----------
    study : resolved models and datasets; every entry's dataset is one of text.

    Raises
    ------
    InputError
        One sentence with key and remedy.
    """
    pairs: list[tuple[str, str]] = []
    for at, spec in enumerate(study["steering"]):
        where = f"steering.{at}"
        pair = spec["model"], spec["dataset"]
        _check_steered_model(f"{where}.model", spec["model"], study["models"])
        if pair in pairs:
            raise InputError(
                f"{where}: the same model and dataset as steering.{pairs.index(pair)}; "
                f"remove it, or add its layers there"
            )
        pairs.append(pair)
        blocks = study["models"][spec["model"]]["blocks"]
        named = [(f"{where}.layers", layer) for layer in spec["layers"]]
        for key, layer in [*named, (f"{where}.decoding.layer", spec["decoding"]["layer"])]:
            if layer > blocks:
                raise InputError(
                    f"{key}: layer {layer} does not exist (the model has layers 0 to {blocks})"
                )
        _check_beginnings(where, spec, study["datasets"][spec["dataset"]])
        spec["layers"], spec["effects"] = sorted(spec["layers"]), sorted(spec["effects"])
    return list(study["steering"])


def _check_steered_model(key: str, name: str, models: dict[str, Spec]) -> None:
    fit = [model for model, spec in models.items() if spec["source"] not in UNFIT]
    if name not in fit:
        why = UNFIT[models[name]["source"]] if name in models else "is not one of the models"
        raise InputError(
            f"{key}: {name!r} {why}; name one of {', '.join(fit) or '(there is none)'}"
        )


def _check_beginnings(where: str, spec: Spec, dataset: Spec) -> None:
    """Whether a dataset has as many documents, and tokens of each, as steering takes."""
    held = dataset["shards"] * dataset["documents_per_shard"]
    longest = dataset["tokens_per_document"] or math.inf
    decoding = spec["decoding"]
    for key, wanted, limit, raise_it in (
        ("documents", spec["documents"], held, "shards"),
        ("decoding.prompts", decoding["prompts"], held, "shards"),
        ("position", spec["position"], longest - 1, "tokens_per_document"),
        ("decoding.prompt_tokens", decoding["prompt_tokens"], longest, "tokens_per_document"),
    ):
        if wanted > limit:
            raise InputError(
                f"{where}.{key}: {wanted} is more than the {limit} that {spec['dataset']} allows; "
                f"lower it, or raise datasets.{spec['dataset']}.{raise_it}"
            )
