"""What models are like at each dose of a cause, slopes, and what remains beside another cause.

A cause that harms a model makes it predict text worse, and what predicts worse may repeat itself
more for that alone. So each dose is put beside what other damage does at equal surprisal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..statistics.beside import beside_line
from ..statistics.curve import Interval
from ..statistics.several import Number, combine
from ..tables import interval_columns
from ..training.observables import Numbers, Place, known, mean_over, pairs

SET_EQUAL = "surprisal"
"""The observable at equal values of which causes are compared."""


class Cause(NamedTuple):
    """Something that is done to models.

    name : what it is called.
    dataset : that models read, and whose prompts they continue.
    doses : dose of each model.
    beside : names of the causes that it is put beside.
    """

    name: str
    dataset: str
    doses: Mapping[str, float]
    beside: Sequence[str] = ()

    @property
    def groups(self) -> dict[float, list[str]]:
        """Models by dose, ascending."""
        found: dict[float, list[str]] = {}
        for model, dose in sorted(self.doses.items(), key=lambda item: item[1]):
            found.setdefault(dose, []).append(model)
        return found


def of_attention(
    dataset: str, column: Mapping[str, NDArray[Any]], measures: Sequence[str]
) -> dict[Place, Number]:
    """Means of measures of attention over all states and layers.

    Parameters
    ----------
    column : (rows,) those of `attention.tables.SUMS`.
    """
    doc_d, doc_z = np.unique(column["doc"], return_inverse=True)
    found = {}
    for measure in measures:
        sum_d = np.bincount(doc_z, column[measure], len(doc_d)).astype(np.float64)
        count_d = np.bincount(doc_z, column[f"{measure}_states"], len(doc_d)).astype(np.float64)
        if count_d.any():
            place = Place(dataset, None, None, None, measure)
            found[place] = Number.per(sum_d, count_d, doc_d)
    return found


def describe_causes(
    causes: Sequence[Cause], numbers: Numbers, confidence: float
) -> list[dict[str, Any]]:
    """Rows of `tables.CAUSES`, of numbers in which reading is of no layer."""
    named = {cause.name: cause for cause in causes}
    rows = []
    for cause in causes:
        for place in _places(cause, numbers):
            head = {"cause": cause.name} | place._asdict()
            del head["layer"]
            empty = {"dose": None, "against": None, "surprisal": None}
            for row in _responses(cause, numbers, place, confidence):
                rows.append(head | empty | row)
            if place.observable != SET_EQUAL:
                for other in cause.beside:
                    for row in _remains(cause, named[other], numbers, place, confidence):
                        rows.append(head | empty | {"against": other} | row)
    return rows


def _places(cause: Cause, numbers: Numbers) -> list[Place]:
    """Places on the cause's dataset that its models have, each once."""
    found = dict.fromkeys(place for model in cause.doses for place in numbers[model])
    return [place for place in found if place.dataset == cause.dataset]


def _responses(
    cause: Cause, numbers: Numbers, place: Place, confidence: float
) -> Iterator[dict[str, Any]]:
    """Means at each dose, and the slope over all: every model is a point."""
    points: list[tuple[float, Number]] = []
    for dose, models in cause.groups.items():
        if found := known(numbers, models, place):
            points += [(dose, number) for number in found]
            mean = mean_over(found, place.observable, confidence)
            yield _row(len(found), mean) | {"dose": dose}
    if len({dose for dose, _ in points}) > 1:
        dose_m = np.array([dose for dose, _ in points])
        design_ma = np.column_stack([np.ones(len(points)), dose_m])
        slope = combine([number for _, number in points], design_ma, confidence)[-1]
        yield _row(len(points), slope)


def _remains(
    cause: Cause, other: Cause, numbers: Numbers, place: Place, confidence: float
) -> Iterator[dict[str, Any]]:
    """How far each dose lies above the other cause's line, at equal surprisal."""
    reading = Place(place.dataset, None, None, None, SET_EQUAL)
    line = {
        f"{other.name}={dose}": pairs(numbers, models, reading, place)
        for dose, models in other.groups.items()
    }
    shared = [set(models) for models in other.groups.values()]
    for dose, models in cause.groups.items():
        if set(models) in shared:
            continue  # the model as it is, which is on both lines
        here = f"{cause.name}={dose}"
        groups = {here: pairs(numbers, models, reading, place)} | line
        if found := beside_line(here, line, groups, confidence):
            said = {"dose": dose, "surprisal": found.surprisal}
            yield _row(found.models, found.value) | said


def _row(models: int, value: Interval[float]) -> dict[str, Any]:
    return {"models": models} | interval_columns({"value": value})
