"""The key `volumes`: models whose spaces are sampled."""

from __future__ import annotations

from ..configuration.checks import (
    check_layer,
    check_limit,
    check_name,
    documents_limit,
    pairs,
)
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("sources", "tokens", "energies", "periods")

OF_LAST_LAYER = ("sphere", "tokens")
"""Spaces that are the same at all layers."""

OF_INNER_LAYERS = ("inner_sphere", "inner_gaussian")
"""Spaces from whose states the blocks above go on: of the last layer, what the others are."""

OF_STATES = ("gaussian", "inner_gaussian")
"""Spaces that take mean and covariance of a model's states."""

WITH_DISTANCES = ("sphere", "gaussian")
"""Spaces with a place for any state that the logit lens decodes: distances are measured there."""


def resolve(study: Spec) -> None:
    """`layers` of each entry become ascending, of the model's own the last by default.

    A space of a model and dataset has one entry; others of them may be sampled otherwise.
    """
    for where, spec in pairs("volumes", study, "pairs", _check_model, each="spaces"):
        model = study["models"][spec["model"]]
        layers = spec.setdefault("layers", model["layers"][-1:])
        for layer in layers:
            check_layer(f"{where}.layers", layer, spec["model"], study["models"])
            _check_measured(where, layer, spec["model"], model)
        spec["layers"] = sorted(layers)
        _check_layers(where, spec, model["blocks"])
        if spec["culled"] > spec["walkers"] // 2:
            raise InputError(
                f"{where}.culled: {spec['culled']} of {spec['walkers']} walkers can't be replaced "
                f"at a step, each by another one; lower it to {spec['walkers'] // 2}, or raise "
                f"`walkers`"
            )
        name = spec["dataset"]
        limit = documents_limit(study["datasets"][name])
        check_limit(f"{where}.pairs", spec["pairs"], name, limit)


def _check_model(key: str, name: str, models: dict[str, Spec]) -> None:
    """Refuse models whose H is not that of their own last layer's decode."""
    unfit = {
        model: "is a lens, and the model that it is for is to be sampled"
        if spec["readout"] != "logit_lens"
        else "holds the correct token against more than the last one"
        for model, spec in models.items()
        if spec["readout"] != "logit_lens" or spec["rivals"] != "last"
    }
    fit = [model for model in models if model not in unfit]
    check_name(key, name, fit, unfit.get(name, "is not one of the models"))


def _check_measured(where: str, layer: int, name: str, model: Spec) -> None:
    """Refuse a layer without energies of text, beside which volumes stand."""
    if layer not in model["layers"]:
        raise InputError(
            f"{where}.layers: layer {layer} of {name} is not measured, and volumes stand beside "
            f"the energies of text; add it to models.{name}.layers"
        )


def _check_layers(where: str, spec: Spec, last: int) -> None:
    """Refuse a space that has none of the layers that are sampled."""
    sampled = {space for layer in spec["layers"] for space in spaces_at(spec, layer, last)}
    for space in spec["spaces"]:
        if space in sampled:
            continue
        if space in OF_LAST_LAYER:
            raise InputError(
                f"{where}.spaces: {space} is the same at all layers, and sampled at the last; add "
                f"{last} to its `layers`, or take gaussian alone"
            )
        raise InputError(
            f"{where}.spaces: {space} is of layers with blocks above them, and {last} is the last; "
            f"add others to its `layers`, or take {space.removeprefix('inner_')}"
        )


# What the rules ask.


def spaces_of_pairs(entries: list[Spec]) -> dict[tuple[str, str], dict[str, Spec]]:
    """The entry of each space, by model and dataset."""
    found: dict[tuple[str, str], dict[str, Spec]] = {}
    for spec in entries:
        of_pair = found.setdefault((spec["model"], spec["dataset"]), {})
        of_pair |= dict.fromkeys(spec["spaces"], spec)
    return found


def spaces_at(spec: Spec, layer: int, last: int) -> list[str]:
    """Spaces of an entry that are sampled at a layer."""
    not_there = OF_INNER_LAYERS if layer == last else OF_LAST_LAYER
    return [space for space in spec["spaces"] if space not in not_there]


def groups_of_pairs(spec: Spec) -> range:
    """Numbers of the first pair of each job."""
    return range(0, spec["pairs"], spec["pairs_per_job"])
