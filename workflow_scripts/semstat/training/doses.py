"""What groups of trained models are like, and how that hangs on the repetition in their corpus."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ..statistics.beside import beside_line
from ..statistics.curve import Interval
from ..statistics.several import Array, Number, combine, contrast
from ..tables import interval_columns
from .observables import Numbers, Place, at_final_layer, known, mean_over, pairs
from .strengths import lines_of_strength
from .tables import ALL

AXES = ("rate", "rep_2")
"""Doses: the share of tokens that are inserted, and what that makes of the corpus."""

SET_EQUAL = ("surprisal", "bigrams")
"""Observables that are the same at equal surprisal, and on equal text."""

PLAIN = "cross_entropy"
"""The objective that others are compared with."""

Group = Mapping[str, Any]

Rows = list[dict[str, Any]]


def describe_groups(groups: Sequence[Group], numbers: Numbers, confidence: float) -> Rows:
    """Means of each group over its models, with intervals; see `several`.

    Parameters
    ----------
    groups : with `group` and `models`, a list.

    Returns
    -------
    Rows of `tables.NUMBERS`; beside each surprisal its exp, the perplexity.
    """
    rows = []
    for group in groups:
        for place in _places(numbers, group["models"]):
            found = known(numbers, group["models"], place)
            if not found:
                continue
            mean = mean_over(found, place.observable, confidence)
            head = {"group": group["group"]} | place._asdict()
            rows.append(head | interval_columns({"value": mean}))
            if place.observable == "surprisal":
                perplexity = Interval(*np.exp(mean).tolist())
                head["observable"] = "perplexity"
                rows.append(head | interval_columns({"value": perplexity}))
    return rows


def describe_doses(groups: Sequence[Group], numbers: Numbers, confidence: float) -> Rows:
    """Slopes of observables against doses, and differences between groups.

    Every model is a point, so that a slope has as many degrees of freedom as there are models less
    two, and what bends adds to its error. Reading is that of the final layer.

    Parameters
    ----------
    groups : rows of `tables.GROUPS`, whose `models` are a list.

    Returns
    -------
    Rows of `tables.DOSES`: slopes of each family with two rates or more; of all such families
    together, with an intercept each; differences of controls from their family's line at equal
    rate, of other objectives from cross entropy in else the same training, and of cross entropy
    from the model before; of other objectives from each other's lines at equal surprisal; and of
    families from each other in the same training of fresh weights.
    """
    final = {model: at_final_layer(of_model) for model, of_model in numbers.items()}
    rows = []
    for place in _places(final, final):
        head = place._asdict()
        del head["layer"]
        found = [*_slopes(groups, final, place, confidence)]
        found += _differences(groups, final, place, confidence)
        if place.observable not in SET_EQUAL:
            found += _at_equal_surprisal(groups, final, place, confidence)
        found += _between_families(groups, final, place, confidence)
        rows += [head | row for row in found]
    return rows


def _places(numbers: Numbers, models: Iterable[str]) -> list[Place]:
    """Places of some models, each once."""
    return [*dict.fromkeys(place for model in models for place in numbers[model])]


class _Line(NamedTuple):
    """Models of a family, from dose to dose.

    rates : at which there are some.
    """

    numbers: list[Number]
    doses: list[float]
    rates: set[float]


def _slopes(
    groups: Sequence[Group], numbers: Numbers, place: Place, confidence: float
) -> Iterator[dict[str, Any]]:
    lined = [group for group in groups if _on_line(group)]
    for axis in AXES:
        lines: dict[str, _Line] = {}
        for group in lined:
            if group[axis] is not None:
                found = known(numbers, group["models"], place)
                line = lines.setdefault(group["family"], _Line([], [], set()))
                line.numbers.extend(found)
                line.doses.extend([group[axis]] * len(found))
                line.rates.update([group["rate"]] * len(found))
        lines = {
            family: line
            for family, line in lines.items()
            if min(len(line.rates), len(set(line.doses))) > 1
        }
        each = [{family: line} for family, line in lines.items()]
        for together in [*each, lines] if len(lines) > 1 else each:
            found = [number for line in together.values() for number in line.numbers]
            design_ma = _design([line.doses for line in together.values()])
            slope = combine(found, design_ma, confidence)[-1]
            family = next(iter(together)) if len(together) == 1 else ALL
            yield _row(family, found, None, axis, slope)


def _design(doses: Sequence[Sequence[float]]) -> Array:
    """(models, coefficients): an intercept for each line, and one slope."""
    line_m = np.repeat(np.arange(len(doses)), [len(dose) for dose in doses])
    dose_m = np.concatenate(doses)
    return np.column_stack([line_m[:, None] == np.arange(len(doses)), dose_m]).astype(np.float64)


def _differences(
    groups: Sequence[Group], numbers: Numbers, place: Place, confidence: float
) -> Iterator[dict[str, Any]]:
    for group in groups:
        other = _compared_with(group, groups)
        if other is None:
            continue
        pair = [known(numbers, of["models"], place) for of in (other, group)]
        if all(pair):
            number, here_m = [*pair[0], *pair[1]], np.repeat([0.0, 1.0], [*map(len, pair)])
            design_ma = np.column_stack([np.ones(len(number)), here_m])
            difference = combine(number, design_ma, confidence)[-1]
            yield _row(group["family"], number, group["group"], other["group"], difference)


def _at_equal_surprisal(
    groups: Sequence[Group], numbers: Numbers, place: Place, confidence: float
) -> Iterator[dict[str, Any]]:
    """Groups of objectives but cross entropy beside the lines of others, which begin at that."""
    lines = lines_of_strength(groups)
    reading = Place(place.dataset, None, None, None, "surprisal")
    for group in groups:
        if group["objective"] in (None, PLAIN) or group["control"]:
            continue
        family = [of for of in groups if of["family"] == group["family"] and of["objective"]]
        family = [of for of in family if _rest(of) == _rest(group)]
        pairs_of = {of["group"]: pairs(numbers, of["models"], reading, place) for of in family}
        plain = [of["group"] for of in family if of["objective"] == PLAIN]
        for label, line in lines.items():
            if group in line or line[0] not in family or line[0]["objective"] == PLAIN:
                continue
            others = [*plain, *(of["group"] for of in line)]
            if found := beside_line(group["group"], others, pairs_of, confidence):
                head = {"family": group["family"], "models": found.models, "group": group["group"]}
                said = {"against": label, "surprisal": found.surprisal}
                yield head | said | interval_columns({"value": found.value})


def _between_families(
    groups: Sequence[Group], numbers: Numbers, place: Place, confidence: float
) -> Iterator[dict[str, Any]]:
    """Each family beside those before it; seeds scatter as much in one as in any other."""
    fresh = [of for of in groups if of["objective"] and of["like"] is None and not of["control"]]
    alike: dict[str, dict[str, list[Number]]] = {}
    for group in fresh:
        if found := known(numbers, group["models"], place):
            alike.setdefault(group["settings"], {})[group["group"]] = found
    family = {group["group"]: group["family"] for group in fresh}
    for found_of in alike.values():
        for other, name in combinations(found_of, 2):
            if family[name] != family[other]:
                compared = [*found_of[other], *found_of[name]]
                difference = contrast(found_of, {name: 1.0, other: -1.0}, confidence)
                yield _row(family[name], compared, name, other, difference)


def _compared_with(group: Group, groups: Sequence[Group]) -> Group | None:
    """The group that one is to differ from, if there is one."""
    family = [other for other in groups if other["family"] == group["family"]]
    if group["control"]:
        fit = [other for other in family if other["rate"] == group["rate"] and _on_line(other)]
    elif group["objective"] == PLAIN:
        fit = [other for other in groups if other["group"] == group["like"]]
    else:
        plain = [other for other in family if other["objective"] == PLAIN]
        fit = [other for other in plain if _rest(other) == _rest(group)]
    return next(iter(fit), None)


def _on_line(group: Group) -> bool:
    return group["rate"] is not None and not group["control"]


def _rest(group: Group) -> dict[str, Any]:
    """Settings of a training but the objective."""
    settings: dict[str, Any] = json.loads(group["settings"])
    return {name: value for name, value in settings.items() if name != "objective"}


def _row(
    family: str,
    numbers: Sequence[Number],
    group: str | None,
    against: str,
    value: Interval[float],
) -> dict[str, Any]:
    head = {"family": family, "models": len(numbers), "group": group, "against": against}
    head |= {"surprisal": None}
    return head | interval_columns({"value": value})
