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

OF_PAIRS = ("last_tokens", "seed")
"""What pairs of tokens are drawn by."""

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
        _check_alike(where, spec, study["volumes"])
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


def _check_alike(where: str, spec: Spec, entries: list[Spec]) -> None:
    """Refuse what would draw other pairs than another entry of the same model and dataset does."""
    for other in entries:
        for key in OF_PAIRS:
            if all(other[name] == spec[name] for name in ("model", "dataset")) and (
                other[key] != spec[key]
            ):
                raise InputError(
                    f"{where}.{key}: {spec[key]}, and {other[key]} in another entry of "
                    f"{spec['model']} on {spec['dataset']}, so that they would be of other pairs "
                    f"of tokens; let them agree"
                )


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


def walk_of(of_pair: dict[str, Spec]) -> Spec | None:
    """What distances to wells are measured of: spaces that have them, with all layers and pairs.

    Parameters
    ----------
    of_pair : the entry of each space.
    """
    walked = {space: spec for space, spec in of_pair.items() if space in WITH_DISTANCES}
    if not walked:
        return None
    specs = list(walked.values())
    of_all = {
        "spaces": sorted(walked),
        "layers": sorted({x for spec in specs for x in spec["layers"]}),
    }
    return (
        specs[0] | of_all | {key: max(spec[key] for spec in specs) for key in ("pairs", "starts")}
    )
