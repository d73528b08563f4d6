"""Model entries whose correct token is held against more than the last one."""

from __future__ import annotations

from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("sources", "energies")


def resolve(study: Spec) -> None:
    """Refuse periods that no window holds, and another readout than the logit lens."""
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
    of = _but_rivals(models[name])
    plain = [
        other
        for other, spec in models.items()
        if spec["rivals"] == "last" and all(spec.get(key) == of[key] for key in of)
    ]
    return next(iter(plain), None)


def _but_rivals(spec: Spec) -> Spec:
    """How an entry is run, beside its rivals."""
    beside = ("like", "rivals", "measured_documents")
    return {key: value for key, value in spec.items() if key not in beside}
