"""How energies are measured: the keys of `measurement`, in each model's entry."""

from __future__ import annotations

from ..configuration.checks import check_layer
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("sources",)


def resolve(study: Spec) -> None:
    """`layers` of each model becomes a sorted list."""
    for name, spec in study["models"].items():
        spec["layers"] = _layers(name, study["models"])
        if spec["stride"] > spec["context"]:
            raise InputError(
                f"models.{name}.stride: {spec['stride']} is larger than the context of "
                f"{spec['context']} tokens, so states would be left out; lower it"
            )


def _layers(name: str, models: dict[str, Spec]) -> list[int]:
    layers, blocks = models[name]["layers"], models[name]["blocks"]
    if layers == "all":
        return list(range(blocks + 1))
    if isinstance(layers, dict):
        return sorted({*range(0, blocks, layers["every"]), blocks})
    for layer in layers:
        check_layer(f"models.{name}.layers", layer, name, models)
    return sorted(layers)
