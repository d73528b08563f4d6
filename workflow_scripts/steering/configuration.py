"""The key `steering`: models whose states are steered."""

from __future__ import annotations

from ..configuration.checks import (
    check_layer,
    check_limit,
    check_name,
    documents_limit,
    pairs,
    tokens_limit,
)
from ..configuration.schema import Spec, schema

AFTER = ("tokens", "energies")


def resolve(study: Spec) -> None:
    """`layers` and `effects` of each entry, of a model with trained weights, become ascending."""
    for where, spec in pairs("steering", study, "layers", _check_model):
        for layer in spec["layers"]:
            check_layer(f"{where}.layers", layer, spec["model"], study["models"])
        name, dataset = spec["dataset"], study["datasets"][spec["dataset"]]
        check_limit(f"{where}.documents", spec["documents"], name, documents_limit(dataset))
        check_limit(f"{where}.position", spec["position"], name, tokens_limit(dataset, but=1))
        spec["layers"], spec["effects"] = sorted(spec["layers"]), sorted(spec["effects"])


def _check_model(key: str, name: str, models: dict[str, Spec]) -> None:
    unfit = {model: why for model, spec in models.items() if (why := _unfit(model, spec, models))}
    fit = [model for model in models if model not in unfit]
    check_name(key, name, fit, unfit.get(name, "is not one of the models"))


def _unfit(name: str, spec: Spec, models: dict[str, Spec]) -> str | None:
    """Why a model is not steered."""
    if models[spec["weights"]]["source"] == "random":
        return "has random weights, so there is nothing to steer towards"
    if spec["readout"] != "logit_lens" and spec["weights"] != name:
        return "is a lens, and the model that it is for is to be steered"
    return None


# What the rules ask.


def steering_keys() -> list[str]:
    """Keys of an entry that say how states are steered."""
    keys = schema()["$defs"]["steering"]["properties"]
    return [key for key in keys if key not in ("model", "dataset")]
