"""What goes with low energy: states by quantiles of a measure, and partial associations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars
from ..tables import interval_columns
from ..thermodynamics.curves import checked_counts
from ..thermodynamics.energy_grid import BLOCKS, energy_edges
from ..thermodynamics.states import sum_states
from .association import Association, associate
from .tables import COVARIATES, NULL_PARTS, NULLS, OUTCOMES, STUDIED

Array = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]
Row = dict[str, Any]

EVERY = 4
"""Of so many points of the energy grid, one is told, counted from 0."""


def describe_groups(
    column: Columns, quantiles: int, confidence: float
) -> tuple[list[Row], list[Row]]:
    """States of one layer in groups of as many each, by each measure.

    Bounds of groups are the measure's quantiles over all states, and are taken as they are: the
    intervals are those of other documents with the same bounds. Where many states share a value,
    there are fewer groups. States that have no such measure are in none.

    Parameters
    ----------
    column : (states,) those of the energies table, and of `STUDIED`; NaN where there is none.
    quantiles : groups of each measure.

    Returns
    -------
    rows of `GROUPS` and of `VOLUMES`, without model, dataset and layer.

    Raises
    ------
    ValueError
        If the states of a group are all in one block of documents.
    """
    groups, volumes = [], []
    for measure in STUDIED:
        for of, chosen_s in _groups(column[measure].astype(np.float64), quantiles):
            head = {"measure": measure} | of
            try:
                numbers, volume = _describe(column, chosen_s, confidence)
            except ValueError as error:
                raise ValueError(f"by {measure}, group {of['group']}: {error}") from error
            value_s = column[measure][chosen_s].astype(np.float64)
            groups.append(
                head
                | {"states": len(value_s), "documents": len(np.unique(column["doc"][chosen_s]))}
                | {"least": value_s.min(), "mean": value_s.mean(), "most": value_s.max()}
                | numbers
            )
            volumes += [head | row for row in volume]
    return groups, volumes


def _groups(value_s: Array, quantiles: int) -> Iterator[tuple[Row, NDArray[np.int64]]]:
    there_s = np.flatnonzero(np.isfinite(value_s))
    if not len(there_s):
        return
    bounds = np.quantile(value_s[there_s], np.arange(1, quantiles) / quantiles)
    # Equal values are never parted.
    group_s = np.searchsorted(np.unique(bounds), value_s[there_s], side="left")
    numbers, group_s = np.unique(group_s, return_inverse=True)
    for group in range(len(numbers)):
        yield {"group": group + 1, "groups": len(numbers)}, there_s[group_s == group]


def _describe(
    column: Columns, chosen_s: NDArray[np.int64], confidence: float
) -> tuple[dict[str, float], list[Row]]:
    """The numbers of one group, and its Ω."""
    own = {name: column[name][chosen_s] for name in ("doc", "last", "correct", "energy", "top")}
    edges_e = energy_edges()
    sums = sum_states(own, edges_e)
    count_be, at_zero_b, blocks = checked_counts(sums.counts, edges_e)
    below_be = np.cumsum(count_be, axis=1)
    bars = ErrorBars.pointwise(blocks.freedom, confidence)
    full_b = sums.states_b > 0
    surprisal_s = -column["log_p_correct"][chosen_s].astype(np.float64)
    surprisal_b = np.bincount(own["doc"] % BLOCKS, weights=surprisal_s, minlength=BLOCKS)
    total_bz = np.column_stack([sums.energy_sum_b[full_b], surprisal_b[full_b]])
    numbers = bars(blocks.per_state(total_bz)).intervals(["mean_energy", "surprisal"])
    zero, half = (int(np.searchsorted(edges_e, energy)) for energy in (0.0, -0.5))
    low_bz = np.column_stack([below_be[:, zero] - at_zero_b, below_be[:, half]])
    shares = bars.share(blocks.per_state(low_bz), blocks.share_variances)
    numbers |= shares.intervals(["below_zero", "below_minus_0.5"])
    told_e = np.arange(zero % EVERY, len(edges_e), EVERY)
    volume = bars.share(blocks.per_state(below_be[:, told_e]), blocks.share_variances)
    rows = [
        {"energy": energy} | interval_columns({"volume": (value, low, high)})
        for energy, value, low, high in zip(edges_e[told_e], *volume[:3], strict=True)
    ]
    return interval_columns(numbers), rows


def describe_associations(
    column: Columns, draws: int, rng: np.random.Generator, confidence: float
) -> list[Row]:
    """Correlations of energy with each measure of one layer, given `COVARIATES`.

    Parameters
    ----------
    column : as for `describe_groups`, and `frequency`, how often each last token comes.

    Returns
    -------
    rows of `ASSOCIATIONS`, without model, dataset and layer; none of a measure that no state has.

    Raises
    ------
    ValueError
        If all states that have a measure are in one block of documents.
    """
    energy_s = column["energy"].astype(np.float64)
    of = {
        "energy": energy_s,
        "below_zero": (energy_s < 0).astype(np.float64),
        "surprisal": -column["log_p_correct"].astype(np.float64),
    }
    outcome_zs = np.stack([of[name] for name in OUTCOMES])
    covariate_zs = np.stack(
        [of[name] if name in of else column[name].astype(np.float64) for name in COVARIATES]
    )
    rows: list[Row] = []
    for there_s, measures in _alike(column):
        doc_s = column["doc"][there_s]
        found = associate(
            outcome_zs[:, there_s],
            np.stack([column[name][there_s].astype(np.float64) for name in measures]),
            covariate_zs[:, there_s],
            doc_s,
            doc_s % BLOCKS,
            draws,
            rng,
            confidence,
        )
        head = {"states": len(there_s), "documents": len(np.unique(doc_s))}
        rows += _rows(found, measures, head)
    order = {name: place for place, name in enumerate(STUDIED)}
    return sorted(rows, key=lambda row: order[row["measure"]])


def _alike(column: Columns) -> list[tuple[NDArray[np.int64], list[str]]]:
    """Measures that the same states have, and these."""
    known: dict[bytes, tuple[NDArray[np.int64], list[str]]] = {}
    for name in STUDIED:
        there = np.isfinite(column[name])
        if there.any():
            known.setdefault(there.tobytes(), (np.flatnonzero(there), []))[1].append(name)
    return list(known.values())


def _rows(found: Association, measures: list[str], head: Row) -> Iterator[Row]:
    for m, measure in enumerate(measures):
        for z, outcome in enumerate(OUTCOMES):
            curves = {"plain": found.plain, "partial": found.partial}
            numbers = {
                name: (curve.value[z, m], curve.low[z, m], curve.high[z, m])
                for name, curve in curves.items()
            }
            row = {"measure": measure, "outcome": outcome} | head | interval_columns(numbers)
            for null in NULLS:
                parts = zip(NULL_PARTS, found.nulls[null], strict=True)
                row |= {null + part: value[z, m] for part, value in parts}
            yield row
