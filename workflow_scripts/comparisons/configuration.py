"""The key `comparisons`: pairs of ensembles."""

from __future__ import annotations

from ..configuration.checks import check_measured, check_name
from ..configuration.schema import Spec
from ..semstat.errors import InputError
from ..tokens.configuration import documents_of

AFTER = ("tokens", "energies")


def resolve(study: Spec) -> None:
    """The `layer` of each ensemble becomes a number."""
    pairs: list[list[Spec]] = []
    for at, pair in enumerate(study["comparisons"]):
        where = f"comparisons.{at}"
        a, b = (_chosen(f"{where}.{side}", chosen, study) for side, chosen in enumerate(pair))
        if a == b:
            raise InputError(f"{where}: compares an ensemble with itself; change one of the two")
        if [a, b] in pairs:
            raise InputError(f"{where}: the same as comparisons.{pairs.index([a, b])}; remove it")
        pairs.append([a, b])
    study["comparisons"] = pairs


def _chosen(where: str, chosen: Spec, study: Spec) -> Spec:
    """One ensemble of a comparison, its layer as a number."""
    for key in ("model", "dataset"):
        check_name(f"{where}.{key}", chosen[key], study[f"{key}s"], f"is not one of the {key}s")
    check_measured(f"{where}.dataset", chosen["dataset"], study["datasets"])
    layers = study["models"][chosen["model"]]["layers"]
    layer = layers[-1] if chosen["layer"] == "final" else chosen["layer"]
    if layer not in layers:
        raise InputError(
            f"{where}.layer: layer {layer} of {chosen['model']} is not measured; "
            f"add it to the model's `layers` or name one of {', '.join(map(str, layers))}"
        )
    return chosen | {"layer": layer}


# What the rules ask.


def same_documents(one: str, other: str, datasets: dict[str, Spec]) -> bool:
    """Whether two datasets are of the same documents, so that their errors are paired."""
    a, b = ((datasets[name].get("of", name), documents_of(datasets[name])) for name in (one, other))
    return a == b
