"""What steering achieves on average over documents, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics.block_errors import ErrorBars
from ..statistics.blocks import Blocks
from ..statistics.curve import Interval
from ..tables import interval_columns
from .columns import STEERED_STATES

Array = NDArray[np.float64]

ORDER_BELOW = 0.5
"""Largest effect, nats, from which the order of the error is read off."""


def describe_effects(rows: Sequence[Mapping[str, Any]], confidence: float) -> list[dict[str, Any]]:
    """Norm and error of steering for each layer, quantity and effect, on average over documents.

    Averages are geometric, of documents in which the effect is reached; intervals are Student's of
    their logarithms, and null where there are fewer than two.

    Parameters
    ----------
    rows : of `STEERED_STATES`.

    Returns
    -------
    Rows with value, `_low` and `_high` of

    share : ‖δh‖ / ‖h‖ by J⁺ and a line search.
    error : |achieved − predicted| / |predicted| of J⁺Δ as it is.
    order : by what power of the effect that error grows, over the effects up to `ORDER_BELOW`; the
        same for all effects of a layer and quantity.
    aimed, ascent_path, ascent_norm, random : the norm that these need, over that of J⁺.
    random_reached : share of random directions that reach the effect with at most ‖h‖; `random` is
        of those alone, and so too small where they are few.
    """
    groups: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["layer"], row["quantity"]), []).append(row)
    described = []
    for (layer, quantity), group in groups.items():
        order = _geometric(_orders(group), confidence, logarithms=True)
        for effect in sorted({row["effect"] for row in group}, key=abs):
            chosen = [row for row in group if row["effect"] == effect and row["reachable"]]
            numbers = _describe(chosen, confidence) | {"order": order}
            head = {"layer": layer, "quantity": quantity, "effect": effect}
            head["documents"] = len(chosen)
            described.append(head | interval_columns(numbers))
    return described


def _describe(rows: Sequence[Mapping[str, Any]], confidence: float) -> dict[str, Interval[float]]:
    column = {
        name: np.array([row[name] for row in rows], dtype=np.float64)
        for name in STEERED_STATES.names
        if name != "quantity"
    }
    norm = column["norm"]
    ratios = {
        "share": norm / column["state_norm"],
        "error": np.abs(column["linear"] / column["effect"] - 1),
        "aimed": column["aimed_norm"] / norm,
        "ascent_path": column["ascent_path"] / norm,
        "ascent_norm": column["ascent_norm"] / norm,
        "random": column["random_norm"] / norm,
    }
    numbers = {name: _geometric(ratio, confidence) for name, ratio in ratios.items()}
    value, *bounds = _geometric(column["random_reached"], confidence, logarithms=True)
    low, high = np.clip(bounds, 0.0, 1.0).tolist()
    return numbers | {"random_reached": Interval(value, low, high)}


def _geometric(value_d: Array, confidence: float, logarithms: bool = False) -> Interval[float]:
    """Geometric mean with its interval; the arithmetic one of what are `logarithms` already."""
    usable_d = value_d[np.isfinite(value_d) & (logarithms | (value_d > 0))]
    if len(usable_d) < 2:
        return Interval(np.nan, np.nan, np.nan)
    documents = Blocks.alike(len(usable_d))
    bars = ErrorBars.pointwise(documents.freedom, confidence)
    wanted_d = usable_d if logarithms else np.log(usable_d)
    curve = bars(documents.per_state(wanted_d[:, None]))
    return (curve if logarithms else curve.each(np.exp)).intervals(["mean"])["mean"]


def _orders(rows: Sequence[Mapping[str, Any]]) -> Array:
    """The slope of ln error against ln effect of each document with at least two such effects."""
    points: dict[int, list[tuple[float, float]]] = {}
    for row in rows:
        if row["reachable"] and abs(row["effect"]) <= ORDER_BELOW:
            error = abs(row["linear"] / row["effect"] - 1)
            if error > 0:
                point = (np.log(abs(row["effect"])), np.log(error))
                points.setdefault(row["doc"], []).append(point)
    several = [np.array(of_doc) for of_doc in points.values() if len(of_doc) > 1]
    return np.array([np.polyfit(of_doc[:, 0], of_doc[:, 1], 1)[0] for of_doc in several])
