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

OF_LAST_LAYER = ("sphere",)
"""Spaces that are the same at all layers."""

OF_STATES = ("gaussian",)
"""Spaces that take mean and covariance of a model's states."""

WITH_DISTANCES = ("sphere", "gaussian")
"""Spaces with a place for any state that the logit lens decodes: distances are measured there."""


def resolve(study: Spec) -> None:
    """`layers` of each entry become ascending, of the model's own the last by default."""
    for where, spec in pairs("volumes", study, "spaces", _check_model):
        model = study["models"][spec["model"]]
        layers = spec.setdefault("layers", model["layers"][-1:])
        for layer in layers:
            check_layer(f"{where}.layers", layer, spec["model"], study["models"])
            _check_measured(where, layer, spec["model"], model)
        spec["layers"] = sorted(layers)
        _check_last(where, spec, model["blocks"])
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


def _check_last(where: str, spec: Spec, last: int) -> None:
    """Refuse a space of the last layer where that is not sampled."""
    if last in spec["layers"]:
        return
    for space in spec["spaces"]:
        if space in OF_LAST_LAYER:
            raise InputError(
                f"{where}.spaces: {space} is the same at all layers, and sampled at the last; add "
                f"{last} to its `layers`, or take gaussian alone"
            )


# What the rules ask.


def spaces_at(spec: Spec, layer: int, last: int) -> list[str]:
    """Spaces of an entry that are sampled at a layer."""
    return [space for space in spec["spaces"] if layer == last or space not in OF_LAST_LAYER]


def groups_of_pairs(spec: Spec) -> range:
    """Numbers of the first pair of each job."""
    return range(0, spec["pairs"], spec["pairs_per_job"])


def walked_in(spec: Spec) -> list[str]:
    """Spaces of an entry in which distances to wells are measured, at all of its layers."""
    return [space for space in spec["spaces"] if space in WITH_DISTANCES]
