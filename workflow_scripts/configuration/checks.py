"""Checks that the keys of several stages need. One sentence with key and remedy is raised."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..semstat.errors import InputError

Spec = dict[str, Any]

COLDEST = 1e-6
"""Sampling temperature below which float32 logits tell no more than which one is the largest."""


def check_name(key: str, name: str, names: Iterable[str], why: str) -> None:
    """Refuse a name that is none of `names`, and say why."""
    names = list(names)
    if name not in names:
        raise InputError(
            f"{key}: {name!r} {why}; name one of {', '.join(names) or '(there is none)'}"
        )


def check_model(key: str, name: str, models: dict[str, Spec]) -> None:
    """Refuse a model that there is not."""
    check_name(key, name, models, "is not one of the models")


def check_text(key: str, name: str, datasets: dict[str, Spec]) -> None:
    """Refuse a dataset that is made of another one, or is none."""
    texts = [text for text, dataset in datasets.items() if "of" not in dataset]
    check_name(key, name, texts, "is not a dataset of text")


def check_dataset(key: str, name: str, datasets: dict[str, Spec]) -> None:
    """Refuse a dataset that there is not."""
    check_name(key, name, datasets, "is not one of the datasets")


def check_measured(key: str, name: str, datasets: dict[str, Spec]) -> None:
    """Refuse a dataset that is not measured."""
    if not datasets[name]["measured"]:
        raise InputError(
            f"{key}: {name} is not measured, so its documents may be trained on; take another one, "
            f"or leave its `measured` out"
        )


def check_layer(key: str, layer: int, model: str, models: dict[str, Spec]) -> None:
    """Refuse a layer that a model does not have, and name the key by which it has not."""
    blocks = models[model]["blocks"]
    if layer > blocks:
        of = models[model]["weights"]
        while models[of]["source"] == "random":
            of = models[models[of]["like"]]["weights"]
        raise InputError(
            f"{key}: layer {layer} does not exist (the model has layers 0 to {blocks}): "
            f"models.{of}.blocks is {blocks}; correct one of the two"
        )


def check_limit(key: str, wanted: int, dataset: str, limit: tuple[float, str]) -> None:
    """Refuse more documents or tokens than a dataset has."""
    most, raise_it = limit
    if wanted > most:
        raise InputError(
            f"{key}: {wanted} is more than the {most} that {dataset} allows; "
            f"lower it, or raise datasets.{dataset}.{raise_it}"
        )


def check_drawn_at(key: str, temperature: float) -> None:
    """Refuse a sampling temperature at which probabilities may be no numbers."""
    if 0 < temperature < COLDEST:
        raise InputError(
            f"{key}: logits divided by {temperature} may be no numbers; write 0, which takes the "
            f"most probable token, or at least {COLDEST}"
        )


def documents_limit(dataset: Spec) -> tuple[float, str]:
    """How many documents a dataset has, and the key that says so."""
    return dataset["shards"] * dataset["documents_per_shard"], "shards"


def tokens_limit(dataset: Spec, but: int = 0) -> tuple[float, str]:
    """How many tokens each of its documents has at most, and the key that says so."""
    return (dataset["tokens_per_document"] or math.inf) - but, "tokens_per_document"


def pairs(
    stage: str,
    study: Spec,
    holding: str,
    check: Callable[[str, str, dict[str, Spec]], None] = check_model,
    check_of: Callable[[str, str, dict[str, Spec]], None] = check_text,
    each: str | None = None,
) -> Iterator[tuple[str, Spec]]:
    """Entries of a stage, each of a model and a dataset, of text if not said otherwise; their keys.

    An entry of several models becomes one of each. A pair that has an entry already is refused.

    Parameters
    ----------
    stage : key of the study under which they stand.
    holding : what is to be added to the first entry of a pair instead of another.
    check : refuses a model.
    check_of : refuses a dataset.
    each : key of a list of names, each of which may have an entry of its own.
    """
    known: dict[tuple[str, str, str], str] = {}
    written = list(enumerate(study[stage]))
    study[stage] = []
    for at, several in written:
        named = several["model"]
        for model in named if isinstance(named, list) else [named]:
            where, spec = f"{stage}.{at}", copy.deepcopy(several) | {"model": model}
            study[stage].append(spec)
            check(f"{where}.model", model, study["models"])
            check_of(f"{where}.dataset", spec["dataset"], study["datasets"])
            check_measured(f"{where}.dataset", spec["dataset"], study["datasets"])
            for name in spec[each] if each else [""]:
                pair = (model, spec["dataset"], name)
                if pair in known:
                    raise InputError(
                        f"{where}: the same model and dataset as {known[pair]}"
                        f"{name and f', both for {name}'}; remove it, or add its {holding} there"
                    )
                known[pair] = where
            yield where, spec
