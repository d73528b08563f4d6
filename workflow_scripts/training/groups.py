"""Groups of trained models, as the configuration tells them.

Imported by the Snakefile, hence by every cluster job: nothing heavy here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..configuration.schema import Spec
from .configuration import trained_of

OF_START = ("architecture", "tokenizer", "prefix_token", "like")
"""Keys of an entry that say what is trained."""

BESIDE_TRAINING = ("seed", "checkpoints")
"""Keys of `train` in which a group's models may differ; weights kept on the way change nothing."""

OF_INJECTION = ("of", "unit", "copies", "shuffled", "seed")
"""Keys of an injected dataset in which a line's datasets do not differ."""

Group = dict[str, Any]


def groups_of(models: dict[str, Spec], datasets: dict[str, Spec]) -> list[Group]:
    """Trained models, those that differ in nothing but seeds in one group; and what they were.

    Models of another source that trained ones are `like` are a group each.

    Returns
    -------
    In the order of the configuration, with these columns of `tables.GROUPS`:

    group : what the names have in common without the seed, else the first name.
    models : their names.
    family : model_type of the architecture, numbered from the second one of a type; or the group
        that weights are of.
    like : the group that weights are of; None of fresh ones, and of what is not trained here.
    objective, strength : its kind and its key of that name; None of what is not trained here.
    settings : keys of `train` but `BESIDE_TRAINING`, as JSON.
    trained_on : the dataset, or several with + between.
    rate, shuffled : share of inserted tokens, and whether these are shuffled; rate 0 of text, None
        of what is neither.
    tokens : that they are trained on; 0 of what is not trained here.
    control : see `_mark_controls`.
    """
    trained = trained_of(models)
    before = {spec["like"] for spec in trained.values() if "like" in spec}
    of_key: dict[str, list[str]] = {}
    for name in models:
        if name in trained or name in before:
            of_key.setdefault(_key(name, trained), []).append(name)
    called = {key: _called(named, models) for key, named in of_key.items()}
    for key, named in of_key.items():
        taken = [*called.values(), *(models.keys() - set(named))]
        if taken.count(called[key]) > 1:
            called[key] = named[0]
    families: dict[str, str] = {}
    groups = []
    for key, named in of_key.items():
        spec = models[named[0]]
        about = {"group": called[key], "models": named, "family": called[key], "like": None}
        if named[0] in trained:
            start = json.loads(key)
            about["like"] = called.get(start.get("like"))
            about["family"] = about["like"] or _family(start, families)
        groups.append(about | _facts(spec if named[0] in trained else {}, datasets))
    _mark_controls(groups, [json.loads(key) if key[0] == "{" else {} for key in of_key], datasets)
    return groups


def _key(name: str, trained: dict[str, Spec]) -> str:
    """What a model is but its name and seed, and so what it started from."""
    if name not in trained:
        return name
    spec = trained[name]
    said = {key: spec[key] for key in OF_START if key in spec}
    if "like" in spec:
        said["like"] = _key(spec["like"], trained)
    return json.dumps(said | {"train": _settings(spec["train"])}, sort_keys=True)


def _settings(train: Spec) -> Spec:
    """What makes a training what it is."""
    return {key: value for key, value in train.items() if key not in BESIDE_TRAINING}


def _called(names: Sequence[str], models: dict[str, Spec]) -> str:
    """Names without their seeds, if these are the same."""
    seeds = [models[name].get("train", {}).get("seed") for name in names]
    stems = {name.removesuffix(f"-{seed}") for name, seed in zip(names, seeds, strict=True)}
    return stems.pop() if len(stems) == 1 else names[0]


def _family(start: Spec, families: dict[str, str]) -> str:
    """What an architecture is called among those that were there."""
    kind = start["architecture"]["model_type"]
    key = json.dumps(start["architecture"], sort_keys=True)
    alike = sum(name.split()[0] == kind for name in families.values())
    return families.setdefault(key, f"{kind} ({alike + 1})" if alike else kind)


def _facts(spec: Spec, datasets: dict[str, Spec]) -> Group:
    """What an entry says of its training, if it has one."""
    train: Spec = spec.get("train", {"dataset": {}, "tokens": 0, "objective": {}})
    named = [*train["dataset"]]
    dataset = datasets[named[0]] if len(named) == 1 else {}
    text = dataset and dataset["source"] != "ensemble"
    return {
        "objective": train["objective"].get("kind"),
        "strength": train["objective"].get("strength"),
        "settings": json.dumps(_settings(spec.get("train", {})), sort_keys=True),
        "trained_on": "+".join(named) or None,
        "rate": 0.0 if text else dataset.get("rate"),
        "shuffled": dataset.get("shuffled", False),
        "tokens": train["tokens"],
    }


def _mark_controls(
    groups: Sequence[Group], keys: Sequence[Spec], datasets: dict[str, Spec]
) -> None:
    """Say which groups of a family stand beside its line from rate to rate.

    The line are groups that differ in nothing but the rate at which one text was injected, and are
    of that text itself; of several such, those of the most rates, and then the first.
    """
    places = [
        _place(group, key, datasets) if group["rate"] is not None else None
        for group, key in zip(groups, keys, strict=True)
    ]
    of_line: dict[str, dict[tuple[str, str], set[float]]] = {}
    for group, place in zip(groups, places, strict=True):
        if place and place[1]:
            of_line.setdefault(group["family"], {}).setdefault(place, set()).add(group["rate"])
    for group, place in zip(groups, places, strict=True):
        for line, rates in of_line.get(group["family"], {}).items():
            rates |= {group["rate"]} if place == (line[0], "") else set()
    for group, place in zip(groups, places, strict=True):
        lines = of_line.get(group["family"], {})
        base, recipe = max(lines, key=lambda line: len(lines[line]), default=("", ""))
        beside = place not in (None, (base, recipe), (base, ""))
        group["control"] = bool(lines) and beside


def _place(group: Group, key: Spec, datasets: dict[str, Spec]) -> tuple[str, str]:
    """What a group is of but its dataset, and how that is injected; text is not."""
    dataset = datasets[group["trained_on"]]
    train = key["train"] | {"dataset": dataset.get("of", group["trained_on"])}
    recipe = {name: dataset[name] for name in OF_INJECTION if name in dataset}
    injected = json.dumps(recipe, sort_keys=True) if dataset["source"] == "ensemble" else ""
    return json.dumps(key | {"train": train}, sort_keys=True), injected
