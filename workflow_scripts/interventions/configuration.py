"""Model entries of which something is changed while they run."""

from __future__ import annotations

from ..configuration.checks import check_layer
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("sources", "energies")


def resolve(study: Spec) -> None:
    """Refuse layers that do not exist, and interventions in a training."""
    for name, spec in intervened(study["models"]).items():
        where, change = f"models.{name}.intervention", spec["intervention"]
        if spec.get("source") == "trained":
            raise InputError(
                f"{where}: a model is trained as its weights say, with nothing changed; write "
                f'"intervention: none" there, and another entry, like {name}, with it'
            )
        heads = change.get("heads", [])
        if heads and "layers" in change:
            raise InputError(f"{where}.heads: name their layer themselves; leave `layers` out")
        _check_layers(f"{where}.layers", change.get("layers", []), name, study["models"])
        _check_layers(f"{where}.heads", [layer for layer, _ in heads], name, study["models"])


def _check_layers(key: str, layers: list[int], name: str, models: dict[str, Spec]) -> None:
    for layer in layers:
        if layer < 1:
            raise InputError(
                f"{key}: layer 0 is the embedding, and blocks count from 1; correct it"
            )
        check_layer(key, layer, name, models)


# What the rules ask.


def intervened(models: dict[str, Spec]) -> dict[str, Spec]:
    """The entries of which something is changed while they run."""
    return {name: spec for name, spec in models.items() if spec["intervention"] != "none"}
