"""The key `causes`: what is done to models, in doses, and what it is put beside."""

from __future__ import annotations

from ..configuration.checks import check_dataset, check_measured, check_model, check_name
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("tokens", "energies", "decoding", "attention")


def resolve(study: Spec) -> None:
    """Refuse causes of models, conditions or other causes that there are not, and of one dose."""
    named: dict[str, Spec] = {}
    for at, cause in enumerate(study["causes"]):
        where = f"causes.{at}"
        if cause["cause"] in named:
            raise InputError(
                f"{where}.cause: {cause['cause']!r} is the name of another one; take another name"
            )
        named[cause["cause"]] = cause
        check_dataset(f"{where}.dataset", cause["dataset"], study["datasets"])
        check_measured(f"{where}.dataset", cause["dataset"], study["datasets"])
        if "condition" in cause:
            _check_condition(where, cause, study)
            continue
        for model in cause["doses"]:
            check_model(f"{where}.doses", model, study["models"])
        if len({*cause["doses"].values()}) < 2:
            raise InputError(
                f"{where}.doses: all are the same, so nothing can change with them; add the model "
                f"as it is, or another dose"
            )
    for at, cause in enumerate(study["causes"]):
        for other in cause["beside"]:
            where = f"causes.{at}.beside"
            check_name(where, other, named, "is not one of the causes")
            if other == cause["cause"] or named[other]["dataset"] != cause["dataset"]:
                raise InputError(
                    f"{where}: {other} is this cause itself, or of another dataset; name another "
                    f"cause of {cause['dataset']}"
                )
            if "condition" in cause or "condition" in named[other]:
                raise InputError(
                    f"{where}: {other if 'condition' in named[other] else cause['cause']} is a "
                    f"condition of writing, at which models read as ever, and causes are compared "
                    f"at equal surprisal; leave it out"
                )


def _check_condition(where: str, cause: Spec, study: Spec) -> None:
    """Refuse a condition that the model does not write under, or that is no curve."""
    pair = (cause["model"], cause["dataset"])
    check_model(f"{where}.model", cause["model"], study["models"])
    written = {(spec["model"], spec["dataset"]): spec["conditions"] for spec in study["decoding"]}
    conditions = written.get(pair, {})
    why = f"is none under which decoding lets {pair[0]} continue {pair[1]}"
    check_name(f"{where}.condition", cause["condition"], conditions, why)
    if not any(isinstance(value, list) for value in conditions[cause["condition"]].values()):
        raise InputError(
            f"{where}.condition: {cause['condition']} is no curve, so it has one dose; give a list "
            f"of values to one of its keys under decoding"
        )
