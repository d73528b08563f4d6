"""What a trained model is like when it reads and when it writes: a number each, by document.

Of reading, on average over states with an energy: `surprisal`, −ln p of the correct token, nats;
`bigrams`, the same by a chain of bigrams counted on what the model was trained on, the yardstick;
`energy`, H = p(correct) − p(last); `omega`, the share of H < 0, Ω(0⁻). With `runs_` before the name
of states whose correct token lies in a run (see `repetitions`), with `else_` of the others.

Of writing, on average over prompts: see `decoding.columns.CONTINUATIONS`; and `rep_2`, see
`loops.repetition`, which corpora are compared by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..generation.loops import repetition
from ..statistics.beside import Pair
from ..statistics.curve import Interval
from ..statistics.several import Number, combine
from ..statistics.shares import exact_share
from .tables import IN_RUNS, SUMMED

READ = {"surprisal": "surprisal", "bigrams": "bigrams", "energy": "energy", "omega": "below_zero"}
"""Observables of reading, and the sums that they are of."""

ELSEWHERE = "else_"

KEPT = ("rep_1", "rep_4", "looping", "in_loops", "energy", "entropy")
"""Observables of writing that continuations have."""

CONTINUED = ("condition", "value", "doc", "tokens", *KEPT)
"""Columns of continuations that are looked at."""

SHARES = ("omega", "rep_1", "rep_2", "rep_4", "looping", "in_loops")
"""Between 0 and 1, these and those with something before the name."""


FLAGS = ("looping",)
"""What a text has or has not."""

SAME = 1e-9
"""Difference of shares that is rounding alone."""


class Place(NamedTuple):
    """Where an observable is measured.

    dataset : that is read, or whose beginnings are continued.
    layer : that is read out; None of writing.
    condition, at : under which it writes, and the value of its curve; None of reading.
    observable : its name.
    """

    dataset: str
    layer: int | None
    condition: str | None
    at: float | None
    observable: str


Numbers = Mapping[str, Mapping[Place, Number]]
"""Of each model, by place."""


def of_reading(dataset: str, sums: Mapping[str, NDArray[Any]]) -> dict[Place, Number]:
    """Observables of a model that reads a dataset.

    Parameters
    ----------
    sums : (rows,) each, the columns of `tables.SUMS`.
    """
    found = {}
    for layer in np.unique(sums["layer"]).tolist():
        of_layer = {name: column[sums["layer"] == layer] for name, column in sums.items()}
        for part, sum_zd in _parts(of_layer).items():
            for name, of in READ.items():
                if np.isnan(sum_zd[of]).all():
                    continue
                number = Number.per(sum_zd[of], sum_zd["states"], of_layer["doc"])
                found[Place(dataset, layer, None, None, part + name)] = number
    return found


def _parts(sums: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    """The sums of all states, of those in runs, and of the others."""
    every, runs = ({name: sums[part + name] for name in SUMMED} for part in ("", IN_RUNS))
    others = {name: every[name] - runs[name] for name in SUMMED}
    return {"": every, IN_RUNS: runs, ELSEWHERE: others}


def of_writing(dataset: str, rows: Sequence[Mapping[str, Any]]) -> dict[Place, Number]:
    """Observables of a model that continues prompts of a dataset.

    Parameters
    ----------
    rows : of continuations, with the columns `CONTINUED`.
    """
    by_value: dict[tuple[str, float | None], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_value.setdefault((row["condition"], row["value"]), []).append(row)
    found = {}
    for said, of_value in by_value.items():
        doc_d = np.array([row["doc"] for row in of_value])
        observed = {name: [row[name] for row in of_value] for name in KEPT}
        observed["rep_2"] = [repetition(row["tokens"], 2) for row in of_value]
        for name, values in observed.items():
            value_d = np.array(values, dtype=np.float64)
            found[Place(dataset, None, *said, name)] = Number.per(
                value_d, np.ones(len(value_d)), doc_d
            )
    return found


def at_final_layer(of_model: Mapping[Place, Number]) -> dict[Place, Number]:
    """What is of no layer, and what is of the last one, as if it were of none."""
    last: dict[str, int] = {}
    for place in of_model:
        last[place.dataset] = max(last.get(place.dataset, 0), place.layer or 0)
    return {
        place._replace(layer=None): number
        for place, number in of_model.items()
        if place.layer in (None, last[place.dataset])
    }


def known(numbers: Numbers, models: Iterable[str], place: Place) -> list[Number]:
    """Numbers at a place, of those models that have one."""
    found = [numbers[model][place] for model in models if place in numbers[model]]
    return [number for number in found if not np.isnan(number.value)]


def pairs(numbers: Numbers, models: Iterable[str], first: Place, second: Place) -> list[Pair]:
    """Numbers at two places, of those models that have both."""
    each = [(known(numbers, [model], first), known(numbers, [model], second)) for model in models]
    return [(a, b) for of_first, of_second in each for a in of_first for b in of_second]


def mean_over(models: Sequence[Number], observable: str, confidence: float) -> Interval[float]:
    """The mean of an observable over models, with its interval; a share's does not leave 0 to 1."""
    [mean] = combine(models, np.ones((len(models), 1)), confidence)
    documents = min(len(number.doc_d) for number in models)
    return bounded(observable, mean, documents, confidence)


def bounded(
    observable: str, interval: Interval[float], documents: int, confidence: float
) -> Interval[float]:
    """The interval of a share, which does not leave 0 to 1.

    Of what no text or every text does, the bound is Clopper and Pearson's (1934) of one model.
    """
    value, low, high = interval
    if not observable.endswith(SHARES):
        return interval
    edge = round(value)
    if observable in FLAGS and np.isnan(low) and np.isclose(value, edge, rtol=0, atol=SAME):
        return exact_share(edge * documents, documents, confidence)
    return Interval(value, max(low, 0.0), min(high, 1.0))
