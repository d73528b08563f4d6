"""Model entries whose correct token is held against more than the last one, and `anomalies`."""

from __future__ import annotations

from ..configuration.checks import check_dataset, check_name, documents_limit, pairs
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("sources", "tokens", "energies")

BESIDE = ("like", "rivals", "measured_documents")
"""What entries of the same states may differ in."""

FEWEST_DOCUMENTS = 8
"""Of anomalies: four folds of two, from whose scatter error bars come."""


def resolve(study: Spec) -> None:
    """Refuse periods that no window holds, another readout, and anomalies that nothing tells."""
    for name, spec in rivals_of(study["models"]).items():
        if spec["readout"] != "logit_lens":
            raise InputError(
                f"models.{name}.rivals: the readout {spec['readout']} takes the last token alone; "
                f"write `readout: logit_lens` beside it"
            )
        if spec["rivals"]["periods"] >= spec["context"]:
            raise InputError(
                f"models.{name}.rivals.periods: {spec['rivals']['periods']} are not below the "
                f"context of {spec['context']} tokens; lower it"
            )
    for where, spec in pairs("anomalies", study, "`loops`", check_of=_check_replaced):
        _check_loops(f"{where}.loops", spec, study["models"])
        _check_documents(f"{where}.dataset", spec["dataset"], study["datasets"])


def _check_replaced(key: str, name: str, datasets: dict[str, Spec]) -> None:
    """Refuse a dataset in which nothing is replaced."""
    check_dataset(key, name, datasets)
    replaced = [name for name, spec in datasets.items() if spec.get("ensemble") == "replaced"]
    check_name(key, name, replaced, "is not a dataset whose `ensemble` is `replaced`")


def _check_loops(key: str, spec: Spec, models: dict[str, Spec]) -> None:
    """Refuse loop energies that are none, or of another model than the states."""
    model, of = spec["model"], models[spec["model"]]
    alike = [
        name
        for name, other in rivals_of(models).items()
        if of["rivals"] == "last" and other["rivals"]["history"] == "own" and _runs_as(of, other)
    ]
    check_name(key, spec["loops"], alike, f"is not {model} but for `rivals` of its own history")


def _check_documents(key: str, name: str, datasets: dict[str, Spec]) -> None:
    """Refuse too few documents, and more than the text has tokens of."""
    text = datasets[name]["of"]
    documents, held = (documents_limit(datasets[of])[0] for of in (name, text))
    if documents < FEWEST_DOCUMENTS:
        raise InputError(
            f"{key}: {name} has {documents} documents, and error bars come from the scatter "
            f"between {FEWEST_DOCUMENTS} or more; raise datasets.{name}.documents_per_shard"
        )
    if documents > held:
        raise InputError(
            f"{key}: {name} has {documents} documents, and {text}, with which they are compared, "
            f"{held:.0f}; raise datasets.{text}.shards, or lower datasets.{name}.shards"
        )


# What the rules ask.


def rivals_of(models: dict[str, Spec]) -> dict[str, Spec]:
    """The entries that have rivals of their own."""
    return {name: spec for name, spec in models.items() if spec["rivals"] != "last"}


def null_of(name: str, models: dict[str, Spec]) -> str | None:
    """The entry that differs from another one in whose history its rivals are of, if any."""
    of = models[name]
    if of["rivals"]["history"] != "own":
        return None
    nulls = [
        other
        for other, spec in rivals_of(models).items()
        if spec["rivals"]["history"] == "elsewhere"
        and spec["rivals"]["periods"] == of["rivals"]["periods"]
        and _but_rivals(spec) == _but_rivals(of)
    ]
    return next(iter(nulls), None)


def plain_of(name: str, models: dict[str, Spec]) -> str | None:
    """The entry that runs the same weights in the same way without rivals, if any."""
    plain = [
        other
        for other, spec in models.items()
        if spec["rivals"] == "last" and _runs_as(spec, models[name])
    ]
    return next(iter(plain), None)


def _but_rivals(spec: Spec) -> Spec:
    """How an entry is run, beside its rivals."""
    return {key: value for key, value in spec.items() if key not in BESIDE}


def _runs_as(plain: Spec, other: Spec) -> bool:
    """Whether two entries run the same weights in the same way."""
    return all(plain.get(key) == value for key, value in _but_rivals(other).items())
